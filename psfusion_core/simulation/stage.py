"""Everything within sight at one moment, in drawable form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.bikes import place_bike
from psfusion_core.simulation.billboards import LIMB, limbs_to_mesh, sprites_to_mesh
from psfusion_core.simulation.car_bodies import BODIES
from psfusion_core.simulation.mesh import Mesh
from psfusion_core.simulation.people import person_limbs, riding_pose, walking_pose
from psfusion_core.simulation.road import BEHIND, KERB_HEIGHT, PERIOD
from psfusion_core.simulation.simulated_camera import Camera
from psfusion_core.simulation.world import FOOTPRINT, World, footprint

FAR, FAR_DETAIL = 262.0, 170.0
"""How far ahead the street and its finer parts are drawn, in metres."""
_WHEEL_TURN = 2.2
"""Radians of crank per metre a cyclist rides."""


@dataclass(frozen=True)
class CarLights:
    """Where a moving car's lamps are and where it points (world axes)."""

    front: tuple[float, float, float]
    rear: tuple[float, float, float]
    forward: tuple[float, float, float]
    half_width: float


@dataclass(frozen=True)
class Stage:
    """Everything that one picture is drawn from.

    Attributes:
        mesh: all faces, those of round limbs and sprites included.
        sprites: the SPRITE records again, for their shadows.
        footprints: contact patches on the ground.
        cars: lamps of the moving cars.
        lamps, shop_lights: (L, 3) positions of fixed lights.
    """

    camera: Camera
    mesh: Mesh
    sprites: npt.NDArray[np.void]
    footprints: npt.NDArray[np.void]
    cars: tuple[CarLights, ...]
    lamps: npt.NDArray[np.float64]
    shop_lights: npt.NDArray[np.float64]


def _laps(z: npt.NDArray[np.float64], ego_s: float) -> npt.NDArray[np.float64]:
    """(N, 3) offsets that bring repeating things at `z` (N,) within sight."""
    offsets = np.zeros((len(z), 3))
    offsets[:, 2] = np.floor((ego_s - BEHIND - z) / PERIOD + 1.0) * PERIOD
    return offsets


def _in_sight(z: npt.NDArray[np.float64], ego_s: float, far: float) -> npt.NDArray[np.bool_]:
    """Which of the repeating things at `z` (N,) are less than `far` metres ahead."""
    return (z - ego_s + BEHIND) % PERIOD < far + BEHIND


def _moved(
    records: npt.NDArray[np.void], fields: tuple[str, ...], ego_s: float, far: float
) -> npt.NDArray[np.void]:
    moved = records[_in_sight(records["anchor"][:, 2], ego_s, far)]
    offsets = _laps(moved["anchor"][:, 2], ego_s)
    for name in fields:
        moved[name] += offsets
    return moved


def set_stage(world: World, seconds: float, height: int, width: int) -> Stage:
    """The street and its traffic as they are after some seconds."""
    road = world.road
    camera = road.camera(seconds, height, width)
    ego_s = road.ego_position(seconds)
    anchors = world.mesh.faces["anchor"][:, 2]
    near = _in_sight(anchors, ego_s, FAR)
    meshes = [world.mesh.select(near).shifted(_laps(anchors[near], ego_s))]
    limbs = [_moved(world.limbs, ("anchor", "start", "end"), ego_s, FAR_DETAIL)]
    sprites = _moved(world.sprites, ("anchor", "center"), ego_s, FAR)
    prints = [_moved(world.footprints, ("anchor",), ego_s, FAR_DETAIL)]
    moving: list[npt.NDArray[np.void]] = []
    cars = []
    for vehicle in world.actors.cars:
        x, s = vehicle.position(seconds, ego_s)
        place = road.world(x, s)
        yaw = road.heading(s) + (0.0 if vehicle.direction > 0 else math.pi)
        meshes.append(vehicle.mesh.placed(place, yaw))
        body = BODIES[vehicle.kind]
        moving.append(footprint(place, (body.width / 2 - 0.05, body.length / 2 - 0.1), yaw, 5.0))
        sin, cos = math.sin(yaw), math.cos(yaw)
        half = body.length / 2
        front = (place[0] + sin * half, 0.64, place[2] + cos * half)
        rear = (place[0] - sin * half, 0.72, place[2] - cos * half)
        cars.append(CarLights(front, rear, (sin, 0.0, cos), body.width / 2 - 0.25))
    for walker in world.actors.walkers:
        x, s, turn, phase, stride = walker.state(road, seconds, ego_s)
        if s - ego_s > FAR_DETAIL:
            continue
        on_pavement = abs(x) > road.kerb(1 if x > 0 else -1, s)
        place = road.world(x, s, KERB_HEIGHT if on_pavement else 0.0)
        yaw = road.heading(s) + turn
        limbs.append(person_limbs(walker.figure, walking_pose(phase, stride), place, yaw, camera.yaw))
        moving.append(footprint(place, (0.22, 0.26), yaw))
    for rider in world.actors.cyclists:
        x, s = rider.position(seconds, ego_s)
        if s - ego_s > FAR_DETAIL:
            continue
        place = road.world(x, s)
        yaw = road.heading(s) + (0.0 if rider.direction > 0 else math.pi)
        model = place_bike(rider.model, place, yaw)
        meshes.append(model.mesh)
        limbs.append(model.limbs)
        pose = riding_pose(_WHEEL_TURN * rider.speed * seconds + rider.start)
        limbs.append(person_limbs(rider.figure, pose, place, yaw, camera.yaw))
        moving.append(footprint(place, (0.2, 0.8), yaw))
    prints.append(np.array([record[()] for record in moving], FOOTPRINT))
    meshes.append(limbs_to_mesh(np.concatenate([part.astype(LIMB) for part in limbs]), camera))
    meshes.append(sprites_to_mesh(sprites, camera))

    def lights(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return points + _laps(points[:, 2], ego_s)

    return Stage(
        camera, Mesh.join(meshes), sprites, np.concatenate(prints), tuple(cars), lights(world.lamps),
        lights(world.shop_lights),
    )  # fmt: skip
