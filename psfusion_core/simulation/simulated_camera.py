"""Pinhole camera shared by both sensors, and where it is at a given time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FOCAL_PER_WIDTH = 0.80
"""Focal length over image width at an aspect ratio of 4:3 (horizontal field of view 64 degrees)."""


def dot3(points: FloatArray, axis: FloatArray) -> FloatArray:
    """Dot product over the last axis, written out: BLAS results differ between machines."""
    return points[..., 0] * axis[..., 0] + points[..., 1] * axis[..., 1] + points[..., 2] * axis[..., 2]


@dataclass(frozen=True)
class Camera:
    """Camera pose and intrinsics. World axes: x right, y up, z forward along the road; metres.

    Args:
        height, width: image size in pixels.
        position: optical centre.
        yaw: heading, radians, positive to the right.
        pitch: radians, positive downwards.
    """

    height: int
    width: int
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0

    @property
    def focal(self) -> float:
        """Focal length in pixels, the same in x and y."""
        return FOCAL_PER_WIDTH * max(self.width, self.height * 4.0 / 3.0)

    @property
    def center(self) -> tuple[float, float]:
        """Principal point (x, y) in pixels; pixel centres lie at half-integers."""
        return self.width / 2.0, self.height / 2.0

    @cached_property
    def origin(self) -> FloatArray:
        """(3,) optical centre."""
        return np.array(self.position, np.float64)

    @cached_property
    def axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Unit vectors (right, up, forward) in world axes."""
        sin_yaw, cos_yaw = math.sin(self.yaw), math.cos(self.yaw)
        sin_pitch, cos_pitch = math.sin(self.pitch), math.cos(self.pitch)
        right = np.array([cos_yaw, 0.0, -sin_yaw])
        up = np.array([sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch])
        forward = np.array([sin_yaw * cos_pitch, -sin_pitch, cos_yaw * cos_pitch])
        return right, up, forward

    def to_camera(self, points: FloatArray) -> FloatArray:
        """World points (..., 3) to camera axes: right, up, depth along the optical axis."""
        relative = points - self.origin
        return np.stack([dot3(relative, axis) for axis in self.axes], axis=-1)

    def to_pixels(self, camera_points: FloatArray) -> FloatArray:
        """Points in camera axes (..., 3) with positive depth to pixels (..., 2)."""
        scale = self.focal / camera_points[..., 2]
        x = self.center[0] + camera_points[..., 0] * scale
        y = self.center[1] - camera_points[..., 1] * scale
        return np.stack([x, y], axis=-1)

    def rays(
        self, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """World direction through each pixel position, scaled to depth 1 along the optical axis."""
        right, up, forward = (axis.astype(np.float32) for axis in self.axes)
        across = (x - np.float32(self.center[0])) * np.float32(1.0 / self.focal)
        above = (np.float32(self.center[1]) - y) * np.float32(1.0 / self.focal)
        rays = [across * right[k] + above * up[k] + forward[k] for k in range(3)]
        return rays[0], rays[1], rays[2]
