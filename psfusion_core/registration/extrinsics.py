"""Registration by the cameras' calibration: exact for things at one distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.pixel_map import Size, pixel_centers


@dataclass(frozen=True)
class ExtrinsicRegistration:
    """A visible pixel is taken for a point on the plane Z = distance of the visible camera's optical frame.

    That point P is seen by the infrared camera where R P + t projects. What is nearer or farther is off by
    f |t| (1 / depth - 1 / distance) pixels, where f is the infrared focal length.

    Args:
        visible_camera: intrinsics.
        infrared_camera: intrinsics.
        rotation: R, row by row, from visible to infrared camera coordinates.
        translation: t, metres.
        distance: of the plane, metres.
    """

    visible_camera: CameraModel
    infrared_camera: CameraModel
    rotation: tuple[float, ...]
    translation: tuple[float, ...]
    distance: float

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image, see `Registration.pixel_map`."""
        visible = self.visible_camera.scaled_to(visible_size, "visible")
        infrared = self.infrared_camera.scaled_to(infrared_size, "infrared")
        rays = visible.rays(pixel_centers(visible_size))
        space = np.column_stack([rays, np.ones(len(rays))]) * self.distance
        seen = space @ np.reshape(self.rotation, (3, 3)).T + np.asarray(self.translation)
        with np.errstate(divide="ignore", invalid="ignore"):
            points = np.where(seen[:, 2:] > 0.0, seen[:, :2] / seen[:, 2:], np.nan)
            # Beyond the lens's field the polynomials of the distortion turn back into the image.
            points[~(np.linalg.norm(points, axis=1) <= infrared.field_radius())] = np.nan
        pixels = infrared.project(np.nan_to_num(points))
        pixels[np.isnan(points).any(axis=1)] = np.nan
        return pixels.astype(np.float32).reshape(visible_size[1], visible_size[0], 2)
