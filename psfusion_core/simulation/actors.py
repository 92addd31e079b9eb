"""Moving things: cars, walkers and cyclists, each a function of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.bikes import Bike, bike
from psfusion_core.simulation.car_bodies import BODIES
from psfusion_core.simulation.cars import PAINTS, car
from psfusion_core.simulation.mesh import Mesh
from psfusion_core.simulation.people import Figure, random_figure
from psfusion_core.simulation.road import (
    EGO_SPEED,
    KERB,
    LANE_CENTER,
    PERIOD,
    ROAD_HALF_WIDTH,
    Road,
    lap_offset,
)

CYCLE_METRES = 1.45
"""Ground covered by a walker's cycle of two steps."""
_CROSSING_SPEED = 1.45
_AHEAD = 1.7
"""Walkers who cross have left the camera's lane this many seconds before the camera arrives."""


@dataclass(frozen=True)
class MovingCar:
    """A car that keeps its lane; direction 1 drives with the camera, -1 against it.

    `lead` cars stay a nearly constant distance `start` ahead of the camera.
    """

    mesh: Mesh
    kind: str
    start: float
    speed: float
    direction: int
    lead: bool = False

    def position(self, seconds: float, ego_s: float) -> tuple[float, float]:
        """Road coordinates (x, s) of its middle."""
        if self.lead:
            return LANE_CENTER, ego_s + self.start + 2.0 * math.sin(0.35 * seconds + 0.4)
        s = self.start + self.direction * self.speed * seconds
        return self.direction * LANE_CENTER, s + lap_offset(s, ego_s)


@dataclass(frozen=True)
class Walker:
    """A person who walks `out` metres from the kerb, or who waits on the left and then crosses."""

    figure: Figure
    side: int
    out: float
    start: float
    speed: float
    phase: float
    crossing: bool = False

    def state(self, road: Road, seconds: float, ego_s: float) -> tuple[float, float, float, float, float]:
        """(x, s, yaw relative to the road, phase of the step cycle, stride)."""
        if self.crossing:
            return self._cross(seconds, ego_s)
        s = self.start + self.speed * seconds
        s += lap_offset(s, ego_s)
        x = self.side * (KERB + self.out + road.walkway(self.side, s))
        stride = min(abs(self.speed) / 1.3, 1.0)
        phase = self.phase + 2.0 * math.pi * abs(self.speed) * seconds / CYCLE_METRES
        yaw = 0.0 if self.speed > 0 else math.pi
        if self.speed == 0.0:  # stands looking at the road
            yaw = -self.side * math.pi / 2 + 0.4 * math.sin(self.phase)
        return x, s, yaw, phase, stride

    def _cross(self, seconds: float, ego_s: float) -> tuple[float, float, float, float, float]:
        s = self.start + lap_offset(self.start, ego_s)
        arrival = s / EGO_SPEED  # when the camera will be there
        reached = 3.6 + self.speed * (seconds - arrival + _AHEAD)
        limit = KERB + self.out
        x = min(max(reached, -limit), limit)
        stride = 1.0 if -limit < reached < limit else 0.0
        phase = self.phase + 2.0 * math.pi * x / CYCLE_METRES
        return x, s, math.pi / 2, phase, stride


@dataclass(frozen=True)
class Cyclist:
    """A ridden bicycle near the edge of the carriageway."""

    figure: Figure
    model: Bike
    start: float
    speed: float
    direction: int

    def position(self, seconds: float, ego_s: float) -> tuple[float, float]:
        """Road coordinates (x, s)."""
        s = self.start + self.direction * self.speed * seconds
        return self.direction * (ROAD_HALF_WIDTH - 0.35), s + lap_offset(s, ego_s)


@dataclass(frozen=True)
class Actors:
    """All moving things."""

    cars: tuple[MovingCar, ...]
    walkers: tuple[Walker, ...]
    cyclists: tuple[Cyclist, ...]


def random_car(rng: np.random.Generator, sky: Atmosphere, running: bool) -> tuple[str, Mesh]:
    """Body type and mesh of a car of random looks, lamps lit while running."""
    kind = list(BODIES)[int(rng.integers(len(BODIES)))]
    paint = PAINTS[int(rng.integers(len(PAINTS)))]
    mesh = car(kind, paint, air=sky.air, running=running, lights=1.0 if running else 0.0)
    if running:
        surface = mesh.faces["surface"]
        front = mesh.faces["origin"][:, 2] > 0.0
        surface["emission"] *= np.where(front, sky.headlights, sky.tail_lights)
    return kind, mesh


def _oncoming_starts(rng: np.random.Generator, crossings: list[float]) -> list[float]:
    """Start positions of oncoming cars: apart from each other, and not on a crossing where someone walks.

    They drive as fast as the camera, so this holds on every lap.
    """
    starts: list[float] = []
    for attempt in range(400):
        start = (40.0 if not starts else 0.0) + float(rng.random()) * (40.0 if not starts else PERIOD)
        gaps = [abs((start - other + PERIOD / 2) % PERIOD - PERIOD / 2) for other in starts]
        for s in crossings:
            for early in (3.9, 4.6, 5.3, 6.0, 6.7):  # seconds before the camera's arrival
                there = start - EGO_SPEED * (s / EGO_SPEED - early)
                gaps.append(abs((there - s - 2.2 + PERIOD / 2) % PERIOD - PERIOD / 2) + 17.0)
        if min(gaps) > 24.0 or (attempt > 100 and not starts):
            starts.append(start)
        if len(starts) == 5:
            break
    return starts


def random_actors(rng: np.random.Generator, crossings: list[float], sky: Atmosphere) -> Actors:
    """Traffic for one period of the street. Some of each kind are near the camera from the start."""
    cars = []
    for start in _oncoming_starts(rng, crossings):
        kind, mesh = random_car(rng, sky, True)
        cars.append(MovingCar(mesh, kind, start, EGO_SPEED, -1))
    kind, mesh = random_car(rng, sky, True)
    cars.append(MovingCar(mesh, kind, 27.0 + 5.0 * float(rng.random()), EGO_SPEED, 1, lead=True))
    walkers = []
    for k in range(26):
        side = 1 if k % 2 == 0 else -1
        start = 9.0 + (k // 2) * PERIOD / 13 + 9.0 * float(rng.random())
        speed = (1.0 + 0.5 * float(rng.random())) * (1.0 if rng.random() < 0.5 else -1.0)
        speed = 0.0 if rng.random() < 0.15 else speed
        out = 2.0 + 0.8 * float(rng.random())
        walkers.append(
            Walker(random_figure(rng, sky.air), side, out, start, speed, 6.28 * float(rng.random()))
        )
        if k % 5 == 2 and speed != 0.0:  # in company
            friend = random_figure(rng, sky.air)
            walkers.append(Walker(friend, side, out - 0.55, start + 0.2, speed, 6.28 * float(rng.random())))
    for s in crossings:
        walkers.append(Walker(random_figure(rng, sky.air), 1, 0.9, s + 2.2, _CROSSING_SPEED, 0.0, True))
    cyclists = tuple(
        Cyclist(random_figure(rng, sky.air), bike(rng, sky.air, True), start, 4.4, direction)
        for start, direction in ((17.0 + 5.0 * float(rng.random()), 1), (150.0, 1), (62.0, -1), (210.0, -1))
    )
    return Actors(tuple(cars), tuple(walkers), cyclists)
