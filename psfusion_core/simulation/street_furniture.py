"""Things beside the road: lamps, cones, barriers, guardrails, wheel stops, bollards, signs and poles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import OBJECT_LAYER, limb
from psfusion_core.simulation.mesh import Mesh, Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.road import Road
from psfusion_core.simulation.texture_library import texture

Records = list[npt.NDArray[np.void]]
CAR_STOP, GUARDRAIL, COLOR_CONE = 5, 6, 7
LAMP_HEIGHT = 6.6
LAMP_REACH = 1.9


def _anchored(records: Records, anchor: tuple[float, float, float]) -> Records:
    for record in records:
        record["anchor"] = anchor
    return records


def lamp(foot: tuple[float, float, float], side: int, air: float, light: float) -> Records:
    """Street lamp whose arm reaches over the road; `light` is the radiance of its glass, 0 when off."""
    steel = Surface((0.16, 0.17, 0.18), texture("concrete"), 0, 0.1, air - 0.5, 6.0)
    glass = Surface((1.0, 0.86, 0.62), 0, light, 0.0, air + (24.0 if light else 1.0))
    hood = Surface((0.14, 0.15, 0.16), 0, 0.0, 0.1, air + (12.0 if light else 0.0))
    x, y, z = foot
    top = y + LAMP_HEIGHT
    out = x - side * LAMP_REACH
    return _anchored(
        [
            limb(foot, (x, y + 0.9, z), (0.11, 0.10), steel, 0.0),
            limb((x, y + 0.9, z), (x, top - 0.5, z), (0.065, 0.045), steel, 0.0),
            limb((x, top - 0.5, z), (x - side * 0.5, top - 0.05, z), (0.045, 0.04), steel),
            limb((x - side * 0.5, top - 0.05, z), (out, top + 0.12, z), (0.04, 0.035), steel),
            limb((out + side * 0.45, top + 0.10, z), (out - side * 0.3, top + 0.14, z), (0.11, 0.08), hood),
            limb((out + side * 0.34, top + 0.02, z), (out - side * 0.24, top + 0.05, z), (0.07, 0.06), glass),
        ],
        foot,
    )


def cone(foot: tuple[float, float, float], air: float) -> tuple[Records, Mesh]:
    """Traffic cone of 0.75 m with two reflecting bands, on a square base."""
    plastic = texture("concrete")
    orange = Surface((0.86, 0.16, 0.03), plastic, 0, 0.12, air + 0.8, 8.0, COLOR_CONE)
    white = Surface((0.80, 0.80, 0.78), plastic, 0, 0.12, air + 0.2, 8.0, COLOR_CONE)
    black = Surface((0.05, 0.05, 0.05), plastic, 0, 0.05, air + 1.2, 8.0, COLOR_CONE)
    x, y, z = foot
    heights, radii = (0.04, 0.22, 0.36, 0.48, 0.60, 0.76), (0.165, 0.135, 0.108, 0.086, 0.063, 0.035)
    bands = (orange, white, orange, white, orange)
    limbs = [
        limb((x, y + heights[k], z), (x, y + heights[k + 1], z), (radii[k], radii[k + 1]), bands[k], 0.12)
        for k in range(5)
    ]
    builder = MeshBuilder(OBJECT_LAYER - 1)
    _box(builder, (x - 0.2, y, z - 0.2), (x + 0.2, y + 0.045, z + 0.2), black, foot)
    return _anchored(limbs, foot), builder.build()


def _box(
    builder: MeshBuilder, low: tuple[float, float, float], high: tuple[float, float, float], surface: Surface,
    anchor: tuple[float, float, float], tile: float = 1.0,
) -> None:  # fmt: skip
    """Axis-aligned box without its underside, with tiles of `tile` metres."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    across = np.array([[2.0 / tile, 0, 0], [0, -2.0 / tile, 0]])
    along = np.array([[0, 0, 2.0 / tile], [0, -2.0 / tile, 0]])
    flat = np.array([[2.0 / tile, 0, 0], [0, 0, -2.0 / tile]])
    faces = (
        ([(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)], (0, 1, 0), flat),
        ([(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)], (0, 0, -1), across),
        ([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], (0, 0, 1), across),
        ([(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)], (-1, 0, 0), along),
        ([(x1, y0, z0), (x1, y0, z1), (x1, y1, z1), (x1, y1, z0)], (1, 0, 0), along),
    )
    for corners, facing, texture_map in faces:
        builder.polygon(corners, surface, facing=facing, texture_map=texture_map, anchor=anchor)


def barrier(foot: tuple[float, float, float], air: float, light: float) -> tuple[Records, Mesh]:
    """Striped roadworks board on legs with a warning lamp."""
    x, y, z = foot
    builder = MeshBuilder(OBJECT_LAYER)
    board = Surface((1, 1, 1), texture("stripes"), 0, 0.2, air, 4.0)
    _box(builder, (x - 0.8, y + 0.75, z - 0.02), (x + 0.8, y + 1.05, z + 0.02), board, foot, 0.5)
    _box(builder, (x - 0.8, y + 0.35, z - 0.02), (x + 0.8, y + 0.55, z + 0.02), board, foot, 0.5)
    steel = Surface((0.35, 0.35, 0.36), texture("concrete"), 0, 0.1, air - 0.5, 6.0)
    amber = Surface((1.0, 0.50, 0.05), 0, light, 0.0, air + 6.0)
    limbs = [limb((x + k, y, z), (x + k, y + 1.1, z), (0.025, 0.025), steel) for k in (-0.7, 0.7)]
    limbs.append(limb((x - 0.7, y + 1.13, z), (x - 0.7, y + 1.25, z), (0.08, 0.08), amber))
    return _anchored(limbs, foot), builder.build()


def wheel_stop(foot: tuple[float, float, float], yaw: float, air: float) -> Mesh:
    """Concrete block of 1.7 m that stops a parking car, with painted ends."""
    builder = MeshBuilder(OBJECT_LAYER)
    for x0, x1, color in (
        (-0.85, -0.55, (0.75, 0.55, 0.10)),
        (-0.55, 0.55, (0.52, 0.51, 0.49)),
        (0.55, 0.85, (0.75, 0.55, 0.10)),
    ):
        block = Surface(color, texture("concrete"), 0, 0.1, air + 2.0, 5.0, CAR_STOP)
        slope = 0.04
        top = [
            (x0, 0.13, -0.08 + slope),
            (x1, 0.13, -0.08 + slope),
            (x1, 0.13, 0.08 - slope),
            (x0, 0.13, 0.08 - slope),
        ]
        builder.polygon(top, block, facing=(0, 1, 0))
        for sign in (-1.0, 1.0):
            foot_z, top_z = sign * 0.09, sign * (0.08 - slope)
            face = [(x0, 0, foot_z), (x1, 0, foot_z), (x1, 0.13, top_z), (x0, 0.13, top_z)]
            builder.polygon(face, block, facing=(0, 0.3, sign))
            x = x0 if sign < 0 else x1
            end = [(x, 0, -0.09), (x, 0, 0.09), (x, 0.13, 0.08 - slope), (x, 0.13, slope - 0.08)]
            builder.polygon(end, block, facing=(sign, 0, 0))
    return builder.build().placed(foot, yaw)


def bollard(foot: tuple[float, float, float], air: float) -> Records:
    """Post that keeps cars off the pavement, with a reflecting ring."""
    steel = Surface((0.50, 0.42, 0.10), texture("concrete"), 0, 0.2, air + 1.0, 6.0, CAR_STOP)
    ring = Surface((0.82, 0.82, 0.80), texture("concrete"), 0, 0.2, air + 0.5, 6.0, CAR_STOP)
    x, y, z = foot
    parts = ((0.0, 0.55, steel, 0.055), (0.55, 0.66, ring, 0.058), (0.66, 0.82, steel, 0.055))
    return _anchored(
        [limb((x, y + a, z), (x, y + b, z), (r, r), surface, 0.5) for a, b, surface, r in parts], foot
    )


def guardrail(
    road: Road, x: float, side: int, start: float, end: float, base: float, air: float
) -> tuple[Records, Mesh]:
    """Steel guardrail with a corrugated beam that faces the road, on posts every 2 m."""
    steel = Surface((0.58, 0.59, 0.60), texture("concrete"), 0, 0.25, air - 1.0, 7.0, GUARDRAIL)
    builder, limbs = MeshBuilder(OBJECT_LAYER), []
    profile = (
        (0.46, 0.0),
        (0.53, 0.055),
        (0.59, 0.055),
        (0.63, 0.015),
        (0.67, 0.055),
        (0.73, 0.055),
        (0.80, 0.0),
    )
    count = max(round((end - start) / 2.0), 1)
    for k in range(count):
        s0, s1 = start + (end - start) * k / count, start + (end - start) * (k + 1) / count
        anchor = road.world(x, (s0 + s1) / 2, base)
        post = road.world(x + side * 0.06, s0, base)
        limbs.append(limb(post, (post[0], base + 0.74, post[2]), (0.05, 0.05), steel, 0.0))
        for (low, out_low), (high, out_high) in pairwise(profile):
            corners = road.points(
                [(x - side * out_low, s0, base + low), (x - side * out_low, s1, base + low),
                 (x - side * out_high, s1, base + high), (x - side * out_high, s0, base + high)]
            )  # fmt: skip
            tilt = (out_high - out_low) / (high - low)
            builder.polygon(
                corners, steel, facing=(-side, -0.9 * tilt, 0), anchor=anchor,
                texture_map=np.array([[0, 0, 1.0], [0, -1.0, 0]]), texture_origin=(0, 0, 0),
            )  # fmt: skip
    return limbs, builder.build()


_SIGNS = (
    ((0.34, (0.60, 0.03, 0.03)), (0.26, (0.82, 0.82, 0.80)), (0.11, (0.05, 0.05, 0.05))),
    ((0.36, (0.82, 0.82, 0.80)), (0.33, (0.03, 0.12, 0.50)), (0.13, (0.85, 0.85, 0.85))),
)
"""Rings of each kind of sign from the outermost: radius and colour."""


def sign(foot: tuple[float, float, float], kind: int, air: float) -> tuple[Records, Mesh]:
    """Round traffic sign on a post; kind 0 is a speed limit, 1 a crossing."""
    x, y, z = foot
    steel = Surface((0.4, 0.4, 0.42), texture("concrete"), 0, 0.1, air - 0.5, 6.0)
    limbs = _anchored([limb(foot, (x, y + 2.7, z), (0.035, 0.035), steel)], foot)
    builder = MeshBuilder(OBJECT_LAYER)
    disc = [(np.cos(2 * np.pi * k / 20), np.sin(2 * np.pi * k / 20)) for k in range(20)]
    for k, (radius, color) in enumerate(_SIGNS[kind]):
        plate = Surface(color, 0, 0, 0.1, air - 1.5)
        points = [(x + radius * a, y + 2.45 + radius * b, z - 0.04 - 0.002 * k) for a, b in disc]
        builder.polygon(points, plate, facing=(0, 0, -1), anchor=(x, y, z - 0.01))
    return limbs, builder.build()


def utility_pole(foot: tuple[float, float, float], air: float) -> Records:
    """Wooden pole with a cross-arm and a warm transformer."""
    wood = Surface((0.14, 0.11, 0.08), texture("concrete"), temperature=air + 0.8, heat_scale=8.0)
    iron = Surface((0.30, 0.31, 0.32), texture("concrete"), temperature=air + 9.0, heat_scale=8.0)
    x, y, z = foot
    return _anchored(
        [
            limb(foot, (x, y + 9.0, z), (0.14, 0.10), wood, 0.0),
            limb((x - 0.9, y + 8.3, z), (x + 0.9, y + 8.3, z), (0.05, 0.05), wood),
            limb((x - 0.30, y + 6.6, z), (x - 0.30, y + 7.3, z), (0.2, 0.2), iron, 0.3),
        ],
        foot,
    )
