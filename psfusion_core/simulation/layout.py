"""Plan of the street: the theme of each stretch, and the things that it places there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from psfusion_core.simulation.buildings import Building, random_building
from psfusion_core.simulation.road import FRONTAGE, KERB, PERIOD, Road

SECTOR = 24.0
"""Length of road with one theme, in metres."""
COUNT = round(PERIOD / SECTOR)
_RIGHT_START = ("works", "bays", "guardrail")
_OTHERS = ("parking", "trees", "shops", "park", "bays", "guardrail")
_BAY_WIDTH = 2.7


@dataclass
class StreetLayout:
    """Where things stand, as (side, x, s) in road coordinates, x outwards of the middle line.

    Attributes:
        themes: theme of each sector by side (-1 left, 1 right).
        crossings: positions of the zebra crossings.
        parked: (side, x, s, turn) of parked cars; turn 0 along the road, 1 at right angles.
        hedges: (side, x, start, end).
        rails: (side, start, end) of guardrails.
        bay_lines: (side, positions) of the lines between parking bays.
    """

    road: Road
    themes: dict[int, list[str]]
    crossings: list[float]
    lamps: list[tuple[int, float, float]] = field(default_factory=list)
    trees: list[tuple[int, float, float]] = field(default_factory=list)
    hedges: list[tuple[int, float, float, float]] = field(default_factory=list)
    parked: list[tuple[int, float, float, int]] = field(default_factory=list)
    parked_bikes: list[tuple[int, float, float]] = field(default_factory=list)
    cones: list[tuple[int, float, float]] = field(default_factory=list)
    barriers: list[tuple[int, float, float]] = field(default_factory=list)
    wheel_stops: list[tuple[int, float, float]] = field(default_factory=list)
    bollards: list[tuple[int, float, float]] = field(default_factory=list)
    rails: list[tuple[int, float, float]] = field(default_factory=list)
    signs: list[tuple[int, float, float]] = field(default_factory=list)
    poles: list[tuple[int, float, float]] = field(default_factory=list)
    bay_lines: list[tuple[int, list[float]]] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)


def _themes(rng: np.random.Generator) -> dict[int, list[str]]:
    """Right side: roadworks, bays and a guardrail come first in some order; the rest is chance."""
    start = [_RIGHT_START[k] for k in rng.permutation(3)]
    rest = [_OTHERS[int(rng.integers(len(_OTHERS)))] for _ in range(COUNT - 3)]
    left = [_OTHERS[int(rng.integers(4))] for _ in range(COUNT)]
    left[int(rng.integers(0, 3))] = "park"
    left[int(rng.integers(4, COUNT))] = "bays"
    return {1: start + rest, -1: left}


def plan_street(rng: np.random.Generator) -> StreetLayout:
    """A street in which every class stands along the first 75 m."""
    themes = _themes(rng)
    bays = [
        (side, k * SECTOR + 1.5, (k + 1) * SECTOR - 1.5)
        for side, names in themes.items() for k, name in enumerate(names) if name == "bays"
    ]  # fmt: skip
    sign = 1.0 if rng.random() < 0.5 else -1.0
    bends = (
        (sign * (4.0 + 2.0 * float(rng.random())), 1, 6.283 * float(rng.random())),
        (1.0 + 0.7 * float(rng.random()), 2, 6.283 * float(rng.random())),
    )
    road = Road(bends, tuple(bays), 25.0 + 9.0 * float(rng.random()))
    crossings = [41.0 + 5.0 * float(rng.random()), 140.0, 236.0]
    layout = StreetLayout(road, themes, crossings)
    for side, names in themes.items():
        for k, name in enumerate(names):
            _furnish(rng, layout, side, k * SECTOR, name)
            # parks and guardrails stay dark
            if name not in ("park", "guardrail"):
                at = k * SECTOR + (7.0 if side > 0 else 19.0)
                layout.lamps.append((side, road.kerb(side, at) + 0.6, at))
        _build_up(rng, layout, side)
    for s in crossings:
        for side in (-1, 1):
            layout.bollards += [(side, road.kerb(side, s + d) + 0.45, s + d) for d in (-0.7, 1.3, 2.9, 4.7)]
        layout.signs.append((1, KERB + 0.7, s - 6.0))
    layout.poles = [(-1, KERB + 0.8, 8.0 + 36.0 * k) for k in range(8)]
    return layout


def _clear(layout: StreetLayout, s: float, reach: float = 4.5) -> bool:
    """No crossing or bump within `reach` of `s`."""
    marks = [c + 2.0 for c in layout.crossings] + [layout.road.bump + 0.5]
    return all(abs((s - mark + PERIOD / 2) % PERIOD - PERIOD / 2) > reach for mark in marks)


def _furnish(rng: np.random.Generator, layout: StreetLayout, side: int, s0: float, theme: str) -> None:
    """Things of one sector."""

    def at(share: float) -> float:
        return s0 + SECTOR * share

    if theme == "works":
        layout.cones += [(side, 5.3 - 1.7 * min(k / 3.0, 1.0), at(0.14 + 0.1 * k)) for k in range(8)]
        layout.barriers += [(side, 4.75, at(0.30)), (side, 4.75, at(0.86))]
        layout.trees.append((side, KERB + 1.1, at(0.75)))
    elif theme == "bays":
        lines = [s0 + 2.9 + _BAY_WIDTH * k for k in range(8)]
        layout.bay_lines.append((side, lines))
        layout.bollards += [(side, KERB + 0.5, s0 + 1.0), (side, KERB + 0.5, s0 + SECTOR - 1.0)]
        taken = rng.random(7) < 0.5
        taken[int(rng.integers(0, 3))] = taken[int(rng.integers(3, 6))] = False
        for k in range(7):
            middle = lines[k] + _BAY_WIDTH / 2
            layout.wheel_stops.append((side, KERB + 1.85, middle))
            if taken[k]:
                layout.parked.append((side, KERB + 0.2, middle, 1))
    elif theme == "guardrail":
        layout.rails.append((side, s0 + 1.0, s0 + SECTOR - 1.0))
        layout.hedges.append((side, FRONTAGE - 1.2, s0 + 1.0, s0 + SECTOR - 1.0))
        layout.trees += [(side, FRONTAGE - 0.2, at(0.3)), (side, FRONTAGE + 0.8, at(0.8))]
    elif theme == "park":
        layout.hedges.append((side, FRONTAGE - 1.5, s0 + 1.0, s0 + SECTOR - 1.0))
        layout.trees += [(side, FRONTAGE + 0.8 + 3.0 * float(rng.random()), at(x)) for x in (0.1, 0.5, 0.85)]
    if theme in ("parking", "shops", "trees", "park"):
        share = {"parking": 0.85, "shops": 0.35, "trees": 0.45, "park": 0.3}[theme]
        for k in range(4):
            s = s0 + 3.0 + 6.0 * k + 0.5 * float(rng.random())
            if rng.random() < share and _clear(layout, s, 6.0):
                layout.parked.append((side, 4.72, s, 0))
    if theme in ("trees", "parking", "shops"):
        shares = {"trees": (0.1, 0.4, 0.75), "parking": (0.2, 0.8), "shops": (0.85,)}[theme]
        layout.trees += [(side, KERB + 1.0, at(x)) for x in shares if _clear(layout, at(x))]
    if theme in ("shops", "trees"):
        count = int(rng.integers(3, 6))
        layout.parked_bikes += [(side, KERB + 1.05, at(0.55) + 0.75 * k) for k in range(count)]


def _build_up(rng: np.random.Generator, layout: StreetLayout, side: int) -> None:
    """Buildings along the frontage except where there is a park, and taller ones far behind."""
    s = 0.0
    while s < PERIOD - 8.0:
        length = min(11.0 + 11.0 * float(rng.random()), PERIOD - s)
        themes = {
            layout.themes[side][int(k // SECTOR) % COUNT] for k in (s + 1.0, s + length / 2, s + length - 1.0)
        }
        if "park" not in themes:
            front = FRONTAGE + 0.3 + (1.2 if rng.random() < 0.3 else 0.0)
            if "guardrail" in themes:
                front += 3.5
            layout.buildings.append(random_building(rng, side, s, s + length, front, (1, 5)))
        s += length + (4.0 * float(rng.random()) if rng.random() < 0.4 else 0.0)
    for k in range(6):
        start = k * PERIOD / 6 + 10.0 * float(rng.random())
        back = random_building(rng, side, start, start + 26.0, 34.0 + 18.0 * float(rng.random()), (4, 9))
        layout.buildings.append(replace(back, shops=False))
