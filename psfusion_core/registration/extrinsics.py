"""Registration by the calibration of both cameras: exact at one distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.pixel_map import Size, pixel_centers


@dataclass(frozen=True)
class ExtrinsicRegistration:
    """Maps a visible pixel to a point P on the plane Z = distance of the visible camera, then to R P + t.

    The infrared pixel is the projection of R P + t. Objects at another depth are displaced by
    f |t| (1 / depth - 1 / distance) pixels, where f is the infrared focal length.

    Args:
        visible_camera: Intrinsics of the visible camera.
        infrared_camera: Intrinsics of the infrared camera.
        rotation: R, row by row, from visible to infrared camera coordinates.
        translation: t, metres.
        distance: Distance of the plane, metres.
    """

    visible_camera: CameraModel
    infrared_camera: CameraModel
    rotation: tuple[float, ...]
    translation: tuple[float, ...]
    distance: float

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image; see `Registration.pixel_map`."""
        visible = self.visible_camera.scaled_to(visible_size, "visible")
        infrared = self.infrared_camera.scaled_to(infrared_size, "infrared")
        rays = visible.rays(pixel_centers(visible_size))
        space = np.column_stack([rays, np.ones(len(rays))]) * self.distance
        seen = space @ np.reshape(self.rotation, (3, 3)).T + np.asarray(self.translation)
        with np.errstate(divide="ignore", invalid="ignore"):
            points = np.where(seen[:, 2:] > 0.0, seen[:, :2] / seen[:, 2:], np.nan)
            # Outside the field of the lens the distortion polynomials fold back into the image.
            points[~(np.linalg.norm(points, axis=1) <= infrared.field_radius())] = np.nan
        pixels = infrared.project(np.nan_to_num(points))
        pixels[np.isnan(points).any(axis=1)] = np.nan
        return pixels.astype(np.float32).reshape(visible_size[1], visible_size[0], 2)
