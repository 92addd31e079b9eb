"""Camera models as in sensor_msgs/CameraInfo: a pinhole with distortion, or a fisheye."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from psfusion_core.registration.pixel_map import FloatArray, Size, scaling

COEFFICIENTS = {
    "plumb_bob": (0, 4, 5),
    "rational_polynomial": (0, 8),
    "equidistant": (0, 4),
    "fisheye": (0, 4),
}
"""Allowed numbers of distortion coefficients by ROS name; 0 means no distortion. Fisheye is equidistant."""

_STEPS = 30
_TOLERANCE = 0.05
"""Largest distance, pixels, between a pixel and its ray projected back."""


@dataclass(frozen=True)
class CameraModel:
    """Intrinsics of one camera, with the fields of sensor_msgs/CameraInfo.

    Args:
        width: Width of the calibration images, pixels.
        height: Height of the calibration images, pixels.
        k: K row by row, 9 values: focal lengths and principal point in pixels.
        d: Distortion coefficients, in OpenCV's order.
        distortion_model: plumb_bob, rational_polynomial, equidistant or fisheye; may be empty if d is empty.

    Raises:
        ValueError: A size or focal length is 0 (the camera is not calibrated), the model is unknown, or it
            has another number of coefficients.
    """

    width: int
    height: int
    k: tuple[float, ...]
    d: tuple[float, ...]
    distortion_model: str

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"expected a camera size of at least 1 x 1, got {self.width} x {self.height}")
        if len(self.k) != 9 or not all(map(math.isfinite, self.k)) or min(self.k[0], self.k[4]) <= 0.0:
            raise ValueError(
                f"expected 9 finite values of K with focal lengths over 0, got {list(self.k)}: "
                "calibrate the camera"
            )
        if self.distortion_model not in COEFFICIENTS and (self.distortion_model or self.d):
            raise ValueError(
                f"expected a distortion model of {', '.join(COEFFICIENTS)}, got {self.distortion_model!r}: "
                "calibrate the camera with one of these"
            )
        counts = COEFFICIENTS.get(self.distortion_model, (0,))
        if len(self.d) not in counts or not all(map(math.isfinite, self.d)):
            raise ValueError(
                f"expected {' or '.join(map(str, counts))} finite coefficients of {self.distortion_model}, "
                f"got {list(self.d)}: check the camera's calibration"
            )

    def scaled_to(self, size: Size, what: str) -> CameraModel:
        """Return the model for images of another size; the message calls them "visible" or "infrared".

        Raises:
            ValueError: The aspect ratio differs.
        """
        k = scaling((self.width, self.height), size, what) @ self.matrix
        return CameraModel(*size, tuple(k.ravel().tolist()), self.d, self.distortion_model)

    @property
    def matrix(self) -> FloatArray:
        """K, (3, 3)."""
        return np.array(self.k, np.float64).reshape(3, 3)

    def project(self, points: FloatArray) -> FloatArray:
        """Project points in front of the camera.

        Args:
            points: (N, 2) positions on the plane z = 1 of the optical frame.

        Returns:
            (N, 2) pixels.
        """
        d = np.array(self.d or (0.0,) * 4, np.float64)
        if self.distortion_model in ("equidistant", "fisheye"):
            pixels = cv2.fisheye.distortPoints(points[:, np.newaxis], self.matrix, d)
        else:
            space = np.column_stack([points, np.ones(len(points))])
            pixels, _ = cv2.projectPoints(space, np.zeros(3), np.zeros(3), self.matrix, d)
        return np.asarray(pixels, np.float64).reshape(-1, 2)

    def rays(self, pixels: FloatArray) -> FloatArray:
        """Undo projection and distortion.

        Args:
            pixels: (N, 2).

        Returns:
            (N, 2) positions on the plane z = 1; NaN if the distortion cannot be undone.
        """
        focal = np.array([self.k[0], self.k[4]])
        if self.distortion_model in ("equidistant", "fisheye"):
            points = self._fisheye_rays(pixels)
        else:
            undistorted = np.linalg.solve(self.matrix, np.column_stack([pixels, np.ones(len(pixels))]).T).T
            points = undistorted[:, :2]
            # OpenCV's undistortion stops after five of these steps, tenths of a pixel off for wide lenses.
            with np.errstate(over="ignore", invalid="ignore"):
                for _ in range(_STEPS if any(self.d) else 0):
                    step = (pixels - self.project(points)) / focal
                    points = points + step
                    if np.abs(step).max() < 1e-7:
                        break
        with np.errstate(over="ignore", invalid="ignore"):
            missed = np.abs(self.project(np.nan_to_num(points)) - pixels).max(axis=1)
        return np.where((missed < _TOLERANCE)[:, np.newaxis], points, np.nan)

    def _fisheye_rays(self, pixels: FloatArray) -> FloatArray:
        """Invert theta_d = theta (1 + k1 theta^2 + ... + k4 theta^8), OpenCV's fisheye model, by Newton."""
        undistorted = np.linalg.solve(self.matrix, np.column_stack([pixels, np.ones(len(pixels))]).T).T[:, :2]
        distorted = np.linalg.norm(undistorted, axis=1)
        k = np.array(self.d or (0.0,) * 4)
        theta = distorted.copy()
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                powers = theta[:, np.newaxis] ** np.array([2, 4, 6, 8])
                value = theta * (1.0 + powers @ k) - distorted
                theta = theta - value / (1.0 + powers @ (k * np.array([3.0, 5.0, 7.0, 9.0])))
            theta = np.where((theta >= 0.0) & (theta < math.pi / 2.0), theta, np.nan)
            stretch = np.where(distorted > 0.0, np.tan(theta) / np.maximum(distorted, 1e-12), 1.0)
        return undistorted * stretch[:, np.newaxis]

    def field_radius(self) -> float:
        """Return the largest distance from the axis in the image, on the plane z = 1."""
        across, down = np.arange(self.width, dtype=np.float64), np.arange(self.height, dtype=np.float64)
        rows = [np.column_stack([across, np.full_like(across, y)]) for y in (-0.5, self.height - 0.5)]
        columns = [np.column_stack([np.full_like(down, x), down]) for x in (-0.5, self.width - 0.5)]
        corners = [[x, y] for x in (-0.5, self.width - 0.5) for y in (-0.5, self.height - 0.5)]
        radii = np.linalg.norm(self.rays(np.concatenate([*rows, *columns, corners])), axis=1)
        if np.isnan(radii).all():
            raise ValueError(
                f"expected a distortion that can be undone within {self.width} x {self.height} pixels, got "
                f"{list(self.d)}: check the camera's calibration"
            )
        return float(np.nanmax(radii))
