"""The ground: carriageway, markings, kerbs, pavements and what lies beyond them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from psfusion_core.simulation.mesh import Mesh, Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.road import (
    FRONTAGE,
    KERB,
    KERB_HEIGHT,
    LANE_CENTER,
    PERIOD,
    ROAD_HALF_WIDTH,
    Road,
)  # fmt: skip
from psfusion_core.simulation.texture_library import texture

CURVE, BUMP = 4, 8
CHUNK = 12.0
"""Length of road that one piece of the ground covers."""
_STEP = 3.0
_UP = (0.0, 1.0, 0.0)
_WHITE = (0.72, 0.72, 0.70)
_YELLOW = (0.70, 0.50, 0.10)

ROAD, PATCH, MARKING, KERB_FACE, PAVEMENT, KERB_TOP, VERGE = range(1, 8)
"""Drawing layers of the ground, lowest first."""


def tiled(metres: float) -> np.ndarray:
    """Texture map of a level surface whose tile covers `metres`."""
    return np.array([[2.0 / metres, 0.0, 0.0], [0.0, 0.0, -2.0 / metres]])


class GroundBuilder:
    """Adds ground areas given in road coordinates.

    Args:
        road: course of the road.
        air: temperature of the air in degrees Celsius.
        warmth: how much warmer sealed ground is than the air.
    """

    def __init__(self, road: Road, air: float, warmth: float) -> None:
        self.road = road
        self.builder = MeshBuilder(ROAD)
        sealed = air + warmth
        asphalt, concrete = texture("asphalt"), texture("concrete")
        self.asphalt = Surface((0.15, 0.15, 0.155), asphalt, 0, 0.6, sealed, 4.0, ground=True)
        self.track = Surface((0.135, 0.135, 0.14), asphalt, 0, 0.8, sealed + 0.3, 4.0, ground=True)
        self.patch = Surface((0.085, 0.085, 0.09), asphalt, 0, 0.6, sealed + 0.7, 4.0, ground=True)
        self.gutter = Surface((0.20, 0.195, 0.185), concrete, 0, 0.5, sealed - 0.5, 4.0, ground=True)
        self.paint = Surface(_WHITE, concrete, 0, 0.8, sealed - 1.2, 4.0, ground=True)
        self.kerb = Surface((0.40, 0.39, 0.37), concrete, 0, 0.3, sealed - 1.5, 5.0, CURVE, True)
        self.pavement = Surface((0.34, 0.325, 0.30), texture("slabs"), 0, 0.4, sealed - 1.0, 5.0, ground=True)
        self.verge = Surface((0.16, 0.21, 0.06), texture("grass"), 0, 0.0, air - 1.5, 6.0, ground=True)
        self.iron = Surface((0.16, 0.15, 0.14), concrete, 0, 1.2, sealed + 2.5, 5.0, ground=True)

    def area(self, outline: list[tuple[float, float]], surface: Surface, layer: int, y: float = 0.0) -> None:
        """A level polygon with corners (x, s)."""
        metres = {texture("asphalt"): 6.0, texture("slabs"): 2.4, texture("grass"): 3.0}
        size = metres.get(surface.texture, 4.0)
        points = self.road.points([(x, s, y) for x, s in outline])
        self.builder.polygon(
            points, surface, facing=_UP, texture_map=tiled(size), texture_origin=(0, 0, 0), layer=layer,
            concave=True,
        )  # fmt: skip

    def strip(
        self, x0: float, x1: float, s0: float, s1: float, surface: Surface, layer: int, y: float = 0.0
    ) -> None:
        """A level strip along the road that follows its bends."""
        stations = np.linspace(s0, s1, max(round((s1 - s0) / _STEP), 1) + 1).tolist()
        self.area([(x0, s) for s in stations] + [(x1, s) for s in reversed(stations)], surface, layer, y)

    def kerb_line(self, side: int, s0: float, s1: float) -> None:
        """Kerb stones with their gutter, and the pavement behind them up to the building line."""
        stations = np.linspace(s0, s1, 13 if self._steps_back(side, s0, s1) else 5).tolist()
        edge = [side * self.road.kerb(side, s) for s in stations]
        layers = (KERB_FACE, KERB_TOP)
        for k in range(len(stations) - 1):
            a, b = (edge[k], stations[k]), (edge[k + 1], stations[k + 1])
            face = self.road.points([(*a, 0.0), (*b, 0.0), (*b, KERB_HEIGHT), (*a, KERB_HEIGHT)])
            self.builder.polygon(
                face, self.kerb, facing=(-side, 0, 0), layer=layers[0], texture_origin=(0, 0, 0),
                texture_map=np.array([[0, 0, 0.5], [0, -0.5, 0]]),
            )  # fmt: skip
        pairs = list(zip(edge, stations, strict=True))
        outer = [(x + side * 0.20, s) for x, s in reversed(pairs)]
        self.area(pairs + outer, self.kerb, KERB_TOP, KERB_HEIGHT)
        inner = [(x - side * 0.32, s) for x, s in reversed(pairs)]
        self.area(pairs + inner, self.gutter, PATCH)
        wide = side * (FRONTAGE + 1.5)
        self.area(outer + [(wide, s) for s in stations], self.pavement, PAVEMENT, KERB_HEIGHT)

    def _steps_back(self, side: int, s0: float, s1: float) -> bool:
        return any(b == side and start - 1 < s1 and end + 1 > s0 for b, start, end in self.road.bays)

    def chunk(self, s0: float) -> None:
        """Everything that runs along the road, for one chunk."""
        s1 = s0 + CHUNK
        self.strip(-KERB - 3.5, KERB + 3.5, s0, s1, self.asphalt, ROAD)
        for side in (-1, 1):
            self.kerb_line(side, s0, s1)
            self.strip(side * FRONTAGE, side * 70.0, s0, s1, self.verge, VERGE, KERB_HEIGHT)
            self.strip(side * 3.42, side * 3.56, s0, s1, self.paint, MARKING)
        for x in (-2.6, -1.0, 1.0, 2.6):
            self.strip(x - 0.32, x + 0.32, s0, s1, self.track, PATCH)
        for k in range(2):
            self.strip(-0.06, 0.06, s0 + 6.0 * k + 1.0, s0 + 6.0 * k + 4.0, self.paint, MARKING)

    def crossing(self, s: float) -> None:
        """Zebra crossing of 4 m with stop lines."""
        for k in range(7):
            x = -3.15 + 1.05 * k
            self.area(
                [(x - 0.26, s), (x + 0.26, s), (x + 0.26, s + 4), (x - 0.26, s + 4)], self.paint, MARKING
            )
        for x0, x1, at in ((0.2, 3.4, s - 1.8), (-3.4, -0.2, s + 5.4)):
            self.area([(x0, at), (x1, at), (x1, at + 0.4), (x0, at + 0.4)], self.paint, MARKING)

    def bump(self, s: float) -> None:
        """Speed bump across both lanes, with warning stripes and a raised back."""
        surface = Surface(
            (1, 1, 1), texture("stripes"), 0, 0.3, self.asphalt.temperature + 1.0, 3.0, BUMP, True
        )
        profile = [(0.0, 0.0), (0.22, 0.055), (0.45, 0.075), (0.68, 0.055), (0.9, 0.0)]
        for (a, low), (b, high) in pairwise(profile):
            for x in np.arange(-3.4, 3.4, 0.85).tolist():
                corners = self.road.points([(x, s + a, low), (x + 0.85, s + a, low), (x + 0.85, s + b, high),
                                            (x, s + b, high)])  # fmt: skip
                self.builder.polygon(
                    corners, surface, facing=_UP, layer=MARKING, texture_origin=(0, 0, 0),
                    texture_map=np.array([[2 / 1.0, 0.0, 0.0], [0.0, 0.0, -2 / 0.9]]),
                )  # fmt: skip

    def manhole(self, x: float, s: float) -> None:
        """Iron cover in the road, a little warm from below."""
        for radius, surface in ((0.42, self.patch), (0.34, self.iron)):
            ring = [2 * np.pi * k / 16 for k in range(16)]
            self.area([(x + radius * np.cos(a), s + radius * np.sin(a)) for a in ring], surface, PATCH)

    def arrow(self, s: float) -> None:
        """Straight-ahead arrow in the camera car's lane."""
        shape = [(-0.08, 0), (0.08, 0), (0.08, 2.2), (0.34, 2.2), (0, 3.6), (-0.34, 2.2), (-0.08, 2.2)]
        self.area([(LANE_CENTER + x, s + z) for x, z in shape], self.paint, MARKING)

    def bay_lines(self, side: int, lines: list[float]) -> None:
        """Lines between parking bays at right angles to the road."""
        for s in lines:
            x0, x1 = side * (ROAD_HALF_WIDTH + 0.3), side * (KERB + BAY_REACH)
            self.area([(x0, s - 0.05), (x1, s - 0.05), (x1, s + 0.05), (x0, s + 0.05)], self.paint, MARKING)

    def build(self) -> Mesh:
        """The mesh of all areas."""
        return self.builder.build()


BAY_REACH = 2.6


def build_ground(
    rng: np.random.Generator, road: Road, crossings: list[float], bays: list[tuple[int, list[float]]],
    air: float, warmth: float,
) -> Mesh:  # fmt: skip
    """The ground of one period of the street."""
    ground = GroundBuilder(road, air, warmth)
    for k in range(round(PERIOD / CHUNK)):
        ground.chunk(k * CHUNK)
    for s in crossings:
        ground.crossing(s)
    for side, lines in bays:
        ground.bay_lines(side, lines)
    ground.bump(road.bump)
    for k in range(11):
        s = (k + 0.7 * rng.random()) * PERIOD / 11
        ground.manhole([-1.6, 1.1, 2.6][int(rng.integers(3))], s)
    for k in range(16):  # trench repairs
        s, x = (k + rng.random()) * PERIOD / 16, -3.0 + 5.0 * float(rng.random())
        wide, long = 0.7 + 1.6 * float(rng.random()), 1.5 + 7.0 * float(rng.random())
        ground.strip(x, x + wide, s, s + long, ground.patch, PATCH)
    for s in (10.0, crossings[1] - 14.0, crossings[2] - 14.0):
        ground.arrow(s)
    return ground.build()
