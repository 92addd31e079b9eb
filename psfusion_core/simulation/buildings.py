"""Buildings along the street: textured blocks with shops, cornices, awnings and signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psfusion_core.simulation.billboards import OBJECT_LAYER
from psfusion_core.simulation.facade_textures import FACADE_METRES, STOREY_METRES, STYLES
from psfusion_core.simulation.mesh import Mesh, Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.road import Road
from psfusion_core.simulation.texture_library import texture

Color = tuple[float, float, float]
SHOP_HEIGHT = 3.5
_WALLS = (
    (0.52, 0.30, 0.22), (0.62, 0.58, 0.50), (0.50, 0.50, 0.49), (0.66, 0.62, 0.56), (0.30, 0.33, 0.37),
    (0.56, 0.44, 0.30), (0.60, 0.52, 0.46), (0.42, 0.36, 0.33),
)  # fmt: skip
_AWNINGS = ((0.50, 0.06, 0.05), (0.05, 0.22, 0.14), (0.06, 0.12, 0.30), (0.55, 0.40, 0.12))

_SIGNS = ((0.75, 0.12, 0.08), (0.08, 0.30, 0.65), (0.10, 0.50, 0.25), (0.85, 0.65, 0.20))


def _scaled(color: Color, factor: float, offset: float = 0.0) -> Color:
    return factor * color[0] + offset, factor * color[1] + offset, factor * color[2] + offset


@dataclass(frozen=True)
class Building:
    """A block beside the road; `side` is -1 (left) or 1 (right), `front` its distance from the middle."""

    side: int
    start: float
    end: float
    front: float
    depth: float
    height: float
    style: int
    wall: int
    shops: bool


def random_building(
    rng: np.random.Generator, side: int, start: float, end: float, front: float, storeys: tuple[int, int]
) -> Building:
    """A building of random looks with a number of storeys in the given range."""
    count = int(rng.integers(storeys[0], storeys[1] + 1))
    return Building(
        side, start, end, front, 10.0 + 6.0 * float(rng.random()), SHOP_HEIGHT + count * STOREY_METRES,
        int(rng.integers(len(STYLES))), int(rng.integers(len(_WALLS))), bool(rng.random() < 0.8),
    )  # fmt: skip


class BuildingBuilder:
    """Turns buildings into faces.

    Args:
        road: course of the road.
        air: temperature of the air in degrees Celsius.
        lights: radiance of lit windows.
        window_heat: degrees Celsius by which the warmest windows exceed their wall.
    """

    def __init__(self, road: Road, air: float, lights: float, window_heat: float) -> None:
        self.road = road
        self.air = air
        self.lights = lights
        self.window_heat = window_heat
        self.builder = MeshBuilder(OBJECT_LAYER)

    def _quad(
        self, a: tuple[float, float], b: tuple[float, float], high: float, surface: Surface, facing: Color,
        tile: tuple[float, float], shift: float, anchor: tuple[float, ...],
    ) -> None:  # fmt: skip
        """Upright wall from (x, s) `a` to `b`; its tile covers `tile` metres, counted down from the top."""
        low = 0.0
        points = self.road.points([(*a, high), (*b, high), (*b, low), (*a, low)])
        along = points[1] - points[0]
        along = along / np.sqrt((along * along).sum())
        texture_map = np.stack([along * (2.0 / tile[0]), np.array([0.0, -2.0 / tile[1], 0.0])])
        origin = points[0] + along * (tile[0] / 2 + shift) - np.array([0.0, tile[1] / 2, 0.0])
        self.builder.polygon(
            points,
            surface,
            facing=facing,
            texture_map=texture_map,
            texture_origin=origin.tolist(),
            anchor=anchor,
        )

    def add(self, rng: np.random.Generator, plot: Building) -> None:
        """Walls, ground floor, cornice and fittings of one building."""
        side, front, back = plot.side, plot.side * plot.front, plot.side * (plot.front + plot.depth)
        anchor = self.road.world(front, plot.end)
        color = _WALLS[plot.wall]
        wall = Surface(
            color, texture(f"facade{plot.style}"), self.lights, 1.0, self.air + 1.0, 2.2 * self.window_heat
        )
        blind = Surface(
            color, texture("blind_wall"), self.lights, 1.0, self.air + 0.5, 2.2 * self.window_heat
        )
        metres, shift = FACADE_METRES, float(rng.random()) * FACADE_METRES
        near, far = (front, plot.start), (front, plot.end)
        ends = (near, far) if side > 0 else (far, near)
        if rng.random() < 0.5:
            blind = wall
        for s, sign in ((plot.start, -1.0), (plot.end, 1.0)):
            self._quad(
                (front, s), (back, s), plot.height, blind, (0, 0, sign), (metres, metres), shift, anchor
            )
        # the tile's rows of windows are counted down from the eaves
        self._quad(*ends, plot.height, wall, (-side, 0, 0), (metres, metres), shift, anchor)
        inset = -side * 0.03
        if plot.shops:
            shop = Surface((0.5, 0.5, 0.5), texture(f"shop{rng.integers(3)}"), self.lights * 1.3, 1.0,
                           self.air + 1.5, 2.6 * self.window_heat)  # fmt: skip
            a, b = ((x + inset, s) for x, s in ends)
            self._quad(a, b, SHOP_HEIGHT, shop, (-side, 0, 0), (metres, SHOP_HEIGHT), shift, anchor)
        self._cornice(plot, Surface(_scaled(color, 0.8), texture("concrete"), 0, 0, self.air), anchor)
        if plot.shops and rng.random() < 0.7:
            self._awning(rng, plot, anchor)
        if plot.shops:
            self._sign(rng, plot, anchor)
        for _ in range(int(rng.integers(0, 3))):
            self._cooler(rng, plot, anchor)

    def _cornice(self, plot: Building, surface: Surface, anchor: tuple[float, ...]) -> None:
        x, out = plot.side * plot.front, -plot.side * 0.45
        top, low = plot.height + 0.15, plot.height - 0.45
        s0, s1 = plot.start - 0.3, plot.end + 0.3
        faces = (
            (
                [(x + out, s0, low), (x + out, s1, low), (x + out, s1, top), (x + out, s0, top)],
                (-plot.side, 0, 0),
            ),
            ([(x, s0, low), (x + out, s0, low), (x + out, s0, top), (x, s0, top)], (0, 0, -1)),
            ([(x, s0, low), (x, s1, low), (x + out, s1, low), (x + out, s0, low)], (0, -1, 0)),
        )
        for corners, facing in reversed(faces):
            self.builder.polygon(self.road.points(corners), surface, facing=facing, anchor=anchor)

    def _awning(self, rng: np.random.Generator, plot: Building, anchor: tuple[float, ...]) -> None:
        x, out = plot.side * plot.front, -plot.side * 1.1
        color = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
        surface = Surface(color, texture("cloth"), temperature=self.air - 0.5)
        lighter = Surface(_scaled(color, 1.4, 0.08), texture("cloth"), temperature=self.air - 0.5)
        length = min(5.5, plot.end - plot.start - 1.0)
        s0 = plot.start + 0.5 + float(rng.random()) * (plot.end - plot.start - 1.0 - length)
        for k in range(6):
            a, b = s0 + length * k / 6, s0 + length * (k + 1) / 6
            stripe = surface if k % 2 == 0 else lighter
            top = [(x, a, 3.0), (x, b, 3.0), (x + out, b, 2.45), (x + out, a, 2.45)]
            drop = [(x + out, a, 2.45), (x + out, b, 2.45), (x + out, b, 2.22), (x + out, a, 2.22)]
            self.builder.polygon(self.road.points(top), stripe, anchor=anchor)
            self.builder.polygon(self.road.points(drop), stripe, anchor=anchor)

    def _sign(self, rng: np.random.Generator, plot: Building, anchor: tuple[float, ...]) -> None:
        """A lit sign that sticks out over the pavement."""
        color = _SIGNS[int(rng.integers(len(_SIGNS)))]
        surface = Surface(color, 0, self.lights * 0.8, 0.1, self.air + 4.0)
        self._box(rng, plot, anchor, surface, (0.9, 0.16, 0.9 + 1.2 * float(rng.random())), SHOP_HEIGHT + 0.1)

    def _cooler(self, rng: np.random.Generator, plot: Building, anchor: tuple[float, ...]) -> None:
        """An air conditioner beside a window."""
        surface = Surface((0.5, 0.5, 0.5), texture("concrete"), 0, 0.1, self.air + 5.0)
        low = SHOP_HEIGHT + STOREY_METRES * int(rng.integers(0, 3)) + 0.2
        self._box(rng, plot, anchor, surface, (0.4, 0.8, 0.6), low)

    def _box(
        self, rng: np.random.Generator, plot: Building, anchor: tuple[float, ...], surface: Surface,
        size: tuple[float, float, float],
        low: float,
    ) -> None:  # fmt: skip
        """A box on the wall at a random place: (out of the wall, along it, upwards), from height `low` up."""
        wide, long, tall = size
        x, s = plot.side * plot.front, plot.start + 1.0 + float(rng.random()) * (plot.end - plot.start - 2.0)
        high = low + tall
        if high > plot.height:
            return
        out = x - plot.side * wide
        faces = (
            (
                [(out, s, low), (out, s + long, low), (out, s + long, high), (out, s, high)],
                (-plot.side, 0, 0),
            ),
            ([(x, s, low), (out, s, low), (out, s, high), (x, s, high)], (0, 0, -1)),
        )
        for corners, facing in faces:
            self.builder.polygon(self.road.points(corners), surface, facing=facing, anchor=anchor)

    def build(self) -> Mesh:
        """The mesh of all buildings added."""
        return self.builder.build()
