"""Registration by a homography: right for far scenes, for cameras side by side, and for one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.registration.pixel_map import FloatArray, Size, pixel_centers, scaling


@dataclass(frozen=True)
class HomographyRegistration:
    """A visible pixel p lies at the infrared pixel H p, in homogeneous coordinates.

    Images of other sizes than these are taken where their aspect ratio is the same within 1 %; pixel centres
    are at whole numbers, so that x + 1/2 scales with the width.

    Args:
        matrix: H, row by row, 9 values.
        visible_size: width and height that it was made for; (0, 0) for whatever comes.
        infrared_size: the same of the infrared image.
    """

    matrix: tuple[float, ...]
    visible_size: Size = (0, 0)
    infrared_size: Size = (0, 0)

    def matrix_for(self, visible_size: Size, infrared_size: Size) -> FloatArray:
        """Return the 3 x 3 homography between images of these sizes.

        Raises:
            ValueError: another aspect ratio.
        """
        enlarge = scaling(self.infrared_size, infrared_size, "infrared")
        reduce = np.linalg.inv(scaling(self.visible_size, visible_size, "visible"))
        return enlarge @ np.reshape(self.matrix, (3, 3)) @ reduce

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image, see `Registration.pixel_map`."""
        points = apply_homography(self.matrix_for(visible_size, infrared_size), pixel_centers(visible_size))
        return points.astype(np.float32).reshape(visible_size[1], visible_size[0], 2)


def apply_homography(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Map (N, 2) points; NaN where the third coordinate has another sign than at the matrix's origin.

    Those points lie beyond the line that the homography sends to infinity: behind the camera.
    """
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    depth = homogeneous[:, 2:] * np.sign(matrix[2, 2])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(depth > 0.0, homogeneous[:, :2] / homogeneous[:, 2:], np.nan)
