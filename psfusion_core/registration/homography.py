"""Registration by a homography: valid for far scenes, for cameras side by side, and for one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.registration.pixel_map import FloatArray, Size, pixel_centers, scaling


@dataclass(frozen=True)
class HomographyRegistration:
    """Maps a visible pixel p to the infrared pixel H p, in homogeneous coordinates.

    Images may have other sizes with the same aspect ratio within 1 %. Pixel centres are at whole numbers, so
    x + 1/2 scales with the width.

    Args:
        matrix: H, row by row, 9 values.
        visible_size: Width and height of the visible images of the calibration; (0, 0) for any size.
        infrared_size: The same for the infrared images.
    """

    matrix: tuple[float, ...]
    visible_size: Size = (0, 0)
    infrared_size: Size = (0, 0)

    def matrix_for(self, visible_size: Size, infrared_size: Size) -> FloatArray:
        """Return the 3 x 3 homography between images of these sizes.

        Raises:
            ValueError: The aspect ratio differs.
        """
        enlarge = scaling(self.infrared_size, infrared_size, "infrared")
        reduce = np.linalg.inv(scaling(self.visible_size, visible_size, "visible"))
        return enlarge @ np.reshape(self.matrix, (3, 3)) @ reduce

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image; see `Registration.pixel_map`."""
        points = apply_homography(self.matrix_for(visible_size, infrared_size), pixel_centers(visible_size))
        return points.astype(np.float32).reshape(visible_size[1], visible_size[0], 2)


def apply_homography(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Map (N, 2) points; NaN for points behind the camera.

    These points are beyond the line that the homography maps to infinity: their third homogeneous coordinate
    has another sign than that of the origin.
    """
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    depth = homogeneous[:, 2:] * np.sign(matrix[2, 2])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(depth > 0.0, homogeneous[:, :2] / homogeneous[:, 2:], np.nan)
