"""Builds the street from its plan: everything that stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation import street_furniture as furniture
from psfusion_core.simulation.actors import Actors, random_actors, random_car
from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.bikes import bike, place_bike
from psfusion_core.simulation.billboards import LIMB, SPRITE
from psfusion_core.simulation.buildings import Building, BuildingBuilder
from psfusion_core.simulation.ground import build_ground
from psfusion_core.simulation.layout import StreetLayout, plan_street
from psfusion_core.simulation.mesh import Mesh
from psfusion_core.simulation.road import KERB_HEIGHT, Road
from psfusion_core.simulation.vegetation import hedge, tree

FOOTPRINT = np.dtype([("anchor", "f8", 3), ("half_size", "f8", 2), ("yaw", "f8"), ("warmth", "f8")])
"""Patch of ground that an object darkens (and warms): half width and half length, turned by yaw."""


@dataclass(frozen=True)
class World:
    """One period of the street. Copies lie every PERIOD metres along z.

    Attributes:
        lamps: (L, 3) positions of the lit street lamps.
        shop_lights: (K, 3) positions in front of lit shops.
        footprints: FOOTPRINT records of what stands still.
        buildings: plan of the buildings.
    """

    road: Road
    mesh: Mesh
    limbs: npt.NDArray[np.void]
    sprites: npt.NDArray[np.void]
    lamps: npt.NDArray[np.float64]
    shop_lights: npt.NDArray[np.float64]
    footprints: npt.NDArray[np.void]
    buildings: tuple[Building, ...]
    actors: Actors


def footprint(
    anchor: tuple[float, float, float], half_size: tuple[float, float], yaw: float = 0.0, warmth: float = 0.0
) -> npt.NDArray[np.void]:
    """One FOOTPRINT record."""
    return np.array((anchor, half_size, yaw, warmth), FOOTPRINT)


class _Assembly:
    """Collects meshes, limbs, sprites and footprints."""

    def __init__(self, layout: StreetLayout, sky: Atmosphere) -> None:
        self.layout, self.road, self.sky = layout, layout.road, sky
        self.meshes: list[Mesh] = []
        self.limbs: list[npt.NDArray[np.void]] = []
        self.sprites: list[npt.NDArray[np.void]] = []
        self.footprints: list[npt.NDArray[np.void]] = []

    def at(self, side: int, x: float, s: float, y: float = KERB_HEIGHT) -> tuple[float, float, float]:
        return self.road.world(side * x, s, y)

    def vegetation(self, rng: np.random.Generator) -> None:
        for side, x, s in self.layout.trees:
            foot = self.at(side, x, s)
            limbs, sprites = tree(rng, foot, self.sky.air, 0.85 + 0.35 * float(rng.random()))
            self.limbs += limbs
            self.sprites += sprites
            self.footprints.append(footprint(foot, (0.3, 0.3)))
        for side, x, start, end in self.layout.hedges:
            row = [
                self.at(side, x + 0.15 * float(rng.random()), s) for s in np.arange(start, end, 1.0).tolist()
            ]
            self.sprites += hedge(rng, row, self.sky.air, 1.3)

    def parked(self, rng: np.random.Generator) -> None:
        for side, x, s, turn in self.layout.parked:
            _, mesh = random_car(rng, self.sky, False)
            yaw = self.road.heading(s) + (side * np.pi / 2 if turn else 0.0 if side > 0 else np.pi)
            anchor = self.at(side, x, s, 0.0)
            self.meshes.append(mesh.placed(anchor, yaw))
            self.footprints.append(footprint(anchor, (0.85, 2.15), yaw))
        for side, x, s in self.layout.parked_bikes:
            anchor = self.at(side, x, s)
            model = place_bike(
                bike(rng, self.sky.air, False), anchor, side * (1.2 + 0.15 * float(rng.random())), 0.12
            )
            self.meshes.append(model.mesh)
            self.limbs += list(model.limbs)

    def furnish(self) -> None:
        layout, air, lights = self.layout, self.sky.air, self.sky.lamps
        for side, x, s in layout.lamps:
            self.limbs += furniture.lamp(self.at(side, x, s), side, air, lights)
        for side, x, s in layout.cones:
            limbs, mesh = furniture.cone(self.at(side, x, s, 0.0), air)
            self.limbs += limbs
            self.meshes.append(mesh)
            self.footprints.append(footprint(self.at(side, x, s, 0.0), (0.25, 0.25)))
        for side, x, s in layout.barriers:
            limbs, mesh = furniture.barrier(self.at(side, x, s, 0.0), air, 0.3 * lights)
            self.limbs += limbs
            self.meshes.append(mesh)
        for side, x, s in layout.wheel_stops:
            place = self.at(side, x, s, 0.0)
            self.meshes.append(furniture.wheel_stop(place, self.road.heading(s) + side * np.pi / 2, air))
            self.footprints.append(footprint(place, (0.15, 0.9)))
        for side, x, s in layout.bollards:
            self.limbs += furniture.bollard(self.at(side, x, s), air)
        for side, start, end in layout.rails:
            x = side * (self.road.kerb(side, (start + end) / 2) + 0.35)
            limbs, mesh = furniture.guardrail(self.road, x, side, start, end, KERB_HEIGHT, air)
            self.limbs += limbs
            self.meshes.append(mesh)
        for k, (side, x, s) in enumerate(layout.signs):
            limbs, mesh = furniture.sign(self.at(side, x, s), k % 2, air)
            self.limbs += limbs
            self.meshes.append(mesh)
        for side, x, s in layout.poles:
            self.limbs += furniture.utility_pole(self.at(side, x, s), air)


def build_world(seed: int, sky: Atmosphere) -> World:
    """The street of a seed; its plan is the same by day and by night."""
    plan_rng, detail_rng, actor_rng = (np.random.default_rng((seed, stream)) for stream in range(3))
    layout = plan_street(plan_rng)
    assembly = _Assembly(layout, sky)
    ground = build_ground(
        detail_rng, layout.road, layout.crossings, layout.bay_lines, sky.air, sky.ground_warmth
    )
    blocks = BuildingBuilder(layout.road, sky.air, sky.windows, sky.window_heat)
    for building in layout.buildings:
        blocks.add(detail_rng, building)
    assembly.vegetation(detail_rng)
    assembly.parked(detail_rng)
    assembly.furnish()
    lit = sky.lamps > 0.0
    out = furniture.LAMP_REACH
    lamps = [
        assembly.at(k, x - out, s, furniture.LAMP_HEIGHT + KERB_HEIGHT) for k, x, s in layout.lamps if lit
    ]
    shops = [
        assembly.at(b.side, b.front - 1.2, (b.start + b.end) / 2, 2.0)
        for b in layout.buildings
        if b.shops and lit
    ]
    return World(
        layout.road,
        Mesh.join([ground, blocks.build(), *assembly.meshes]),
        np.array([record[()] for record in assembly.limbs], LIMB),
        np.array([record[()] for record in assembly.sprites], SPRITE),
        np.array(lamps).reshape(-1, 3),
        np.array(shops).reshape(-1, 3),
        np.array([record[()] for record in assembly.footprints], FOOTPRINT),
        tuple(layout.buildings),
        random_actors(actor_rng, layout.crossings, sky),
    )
