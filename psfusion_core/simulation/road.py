"""Course of the road: its bends, its kerb line, and the way the camera car drives it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.simulated_camera import Camera

FloatArray = npt.NDArray[np.float64]

PERIOD = 288.0
"""The street repeats after this many metres, so that a drive never ends."""
LANE_CENTER = 1.8
ROAD_HALF_WIDTH = 3.5
KERB = 5.8
"""Distance of the kerb from the middle of the road; parking strips lie between the lanes and the kerb."""
KERB_HEIGHT = 0.14
FRONTAGE = 11.6
"""Distance of the building line from the middle of the road."""
EGO_SPEED = 7.2
"""Speed of the camera car in m/s."""
BEHIND = 25.0
"""The shown period of a repeating object starts this many metres behind the camera."""
BAY_DEPTH = 2.9


def smooth_step(value: float) -> float:
    """Cubic step from 0 to 1 over [0, 1]."""
    value = min(max(value, 0.0), 1.0)
    return value * value * (3.0 - 2.0 * value)


def lap_offset(s: float, ego_s: float) -> float:
    """Offset from road position `s` to its copy within sight of `ego_s`."""
    return math.floor((ego_s - BEHIND - s) / PERIOD + 1.0) * PERIOD


@dataclass(frozen=True)
class Road:
    """Road coordinates are x (to the right of the middle line) and s (along it); world z equals s.

    Attributes:
        bends: (amplitude in metres, waves per period, phase) of the sideways course.
        bays: stretches (side, start, end) where the kerb steps back for parking bays; side is -1 or 1.
        bump: position of the speed bump.
    """

    bends: tuple[tuple[float, int, float], ...]
    bays: tuple[tuple[int, float, float], ...]
    bump: float

    def course(self, s: float) -> float:
        """World x of the middle line."""
        wave = 2.0 * math.pi / PERIOD
        return sum(size * math.sin(wave * count * s + phase) for size, count, phase in self.bends)

    def heading(self, s: float) -> float:
        """Direction of the road as a yaw angle in radians."""
        wave = 2.0 * math.pi / PERIOD
        slope = sum(size * wave * n * math.cos(wave * n * s + phase) for size, n, phase in self.bends)
        return math.atan(slope)

    def world(self, x: float, s: float, y: float = 0.0) -> tuple[float, float, float]:
        """World point of road coordinates and a height."""
        return self.course(s) + x, y, s

    def points(self, coordinates: list[tuple[float, float, float]]) -> FloatArray:
        """(K, 3) world points of (x, s, height) triples."""
        return np.array([self.world(x, s, y) for x, s, y in coordinates])

    def kerb(self, side: int, s: float) -> float:
        """Distance of the kerb from the middle line on a side."""
        s %= PERIOD
        depth = 0.0
        for bay_side, start, end in self.bays:
            if bay_side == side:
                depth = max(depth, min(smooth_step((s - start) / 2.5), smooth_step((end - s) / 2.5)))
        return KERB + BAY_DEPTH * depth

    def walkway(self, side: int, s: float) -> float:
        """How far walkers keep outwards of their usual line to follow the kerb."""
        s %= PERIOD
        depth = 0.0
        for bay_side, start, end in self.bays:
            if bay_side == side:
                nearest = min(smooth_step((s - start + 7.0) / 8.0), smooth_step((end + 7.0 - s) / 8.0))
                depth = max(depth, nearest)
        return BAY_DEPTH * depth

    def ego_position(self, seconds: float) -> float:
        """Road position of the camera after some seconds."""
        return EGO_SPEED * seconds

    def camera(self, seconds: float, height: int, width: int) -> Camera:
        """The camera behind the windscreen: follows the lane, bobs a little, and jolts over the bump."""
        s = self.ego_position(seconds)
        jolt = lift = 0.0
        for axle, sign in ((1.3, 1.0), (-1.3, -1.0)):
            away = (s + axle - self.bump + PERIOD / 2.0) % PERIOD - PERIOD / 2.0
            bell = 1.0 / (1.0 + (away / 0.8) ** 4)
            lift += 0.03 * bell
            jolt -= 0.012 * sign * bell
        sway = 0.004 * math.sin(5.1 * seconds) + 0.003 * math.sin(8.3 * seconds + 1.0)
        x, y, z = self.world(LANE_CENTER + 0.05 * math.sin(0.6 * seconds), s, 1.5 + lift + sway)
        pitch = 0.035 + jolt + 0.0012 * math.sin(4.3 * seconds + 0.5)
        ahead = self.heading(s + 4.0)
        return Camera(height, width, (x, y, z), ahead, pitch)
