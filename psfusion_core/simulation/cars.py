"""Cars: a smooth shell through the cross-sections of a body, with projected details and wheels."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import OBJECT_LAYER
from psfusion_core.simulation.car_bodies import BODIES, SIDE_BOTTOM, SIDE_HEIGHT, CarBody
from psfusion_core.simulation.mesh import Mesh, Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.texture_library import texture

FloatArray = npt.NDArray[np.float64]

CAR = 1
PAINTS = (
    (0.62, 0.63, 0.64), (0.030, 0.032, 0.036), (0.36, 0.37, 0.39), (0.32, 0.025, 0.02), (0.04, 0.09, 0.25),
    (0.72, 0.70, 0.66), (0.11, 0.13, 0.15), (0.09, 0.16, 0.13), (0.45, 0.36, 0.22),
)  # fmt: skip
"""Linear reflectances of car paint."""

_GLASS = Surface(color=(0.035, 0.04, 0.045), gloss=1.0, temperature=9.0, label=CAR)


def _cross_section(station: tuple[float, ...]) -> FloatArray:
    """(11, 3) points from the right sill over the roof to the left sill."""
    z, bottom, belt, top, half, half_top = station
    right = [
        (half * 0.90, bottom), (half * 0.985, bottom + (belt - bottom) * 0.30),
        (half, bottom + (belt - bottom) * 0.62), (half * 0.955, belt), (half_top, top),
    ]  # fmt: skip
    points = [(x, y, z) for x, y in right] + [(0.0, top + 0.025, z)]
    return np.array(points + [(-x, y, z) for x, y in reversed(right)])


def _grid_normals(grid: FloatArray) -> FloatArray:
    """Outward unit normals at the (S, P, 3) grid points of the shell."""
    along = np.gradient(grid, axis=0)
    around = np.gradient(grid, axis=1)
    normals = np.cross(around, along)
    center = grid.mean(axis=1, keepdims=True)
    outward = ((grid - center) * normals).sum(axis=2, keepdims=True)
    normals *= np.where(outward < 0.0, -1.0, 1.0)
    return normals / np.sqrt((normals * normals).sum(axis=2, keepdims=True) + 1e-12)


def _add_wheels(builder: MeshBuilder, body: CarBody) -> None:
    surface = Surface((1, 1, 1), texture("wheel"), gloss=0.5, temperature=10.0, heat_scale=60.0, label=CAR)
    tread = Surface(color=(0.018, 0.018, 0.02), temperature=10.0, heat_scale=22.0, label=CAR)
    radius, turns = body.wheel_radius, [2.0 * math.pi * k / 20 for k in range(20)]
    texture_map = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]) / radius
    for z in body.axles:
        for side in (-1.0, 1.0):
            x = side * (body.width / 2 - 0.005)
            rim = [(x, radius + radius * math.sin(a), z + radius * math.cos(a)) for a in turns]
            inner = x - side * 0.20
            for sign in (-1.0, 1.0):  # tread seen from the front or the rear
                face = [
                    (k, y, z + sign * radius * 0.8)
                    for k, y in ((inner, 0.0), (x, 0.0), (x, 0.5), (inner, 0.5))
                ]
                builder.polygon(face, tread, facing=(0, 0, sign), layer=OBJECT_LAYER - 1)
            builder.polygon(rim, surface, facing=(side, 0, 0), texture_map=texture_map)


@lru_cache(maxsize=16)
def _shell(kind: str) -> Mesh:
    """The car of a body type, front towards +z, standing on y = 0."""
    body = BODIES[kind]
    grid = np.stack([_cross_section(station) for station in body.stations])
    normals = _grid_normals(grid)
    vertical = -2.0 / SIDE_HEIGHT
    projections = {
        "side": np.array([[0.0, 0.0, 2.0 / body.length], [0.0, vertical, 0.0]]),
        "front": np.array([[2.0 / body.width, 0.0, 0.0], [0.0, vertical, 0.0]]),
    }
    projections["rear"] = projections["front"]
    origin = (0.0, SIDE_BOTTOM + SIDE_HEIGHT / 2.0, 0.0)
    paint = Surface((0.5, 0.5, 0.5), gloss=0.45, temperature=9.0, label=CAR)
    views = {
        view: Surface((0.5, 0.5, 0.5), texture(f"{kind}_{view}"), 1.0, 1.0, 9.0, 60.0, CAR)
        for view in ("side", "front", "rear")
    }
    builder = MeshBuilder(OBJECT_LAYER)
    spans, bands = len(body.stations) - 1, grid.shape[1] - 1
    for i in range(spans):
        for j in range(bands):
            corners = np.stack([grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]])
            corner_normals = np.stack(
                [normals[i, j], normals[i, j + 1], normals[i + 1, j + 1], normals[i + 1, j]]
            )
            outward = corner_normals.mean(axis=0)
            if j in (4, 5):  # bonnet, roof, windscreen, rear window
                surface = _GLASS if i in body.glazed else paint
                builder.polygon(corners, surface, facing=outward, corner_normals=corner_normals)
                continue
            end = "rear" if i == 0 else "front" if i == spans - 1 else "side"
            builder.polygon(
                corners, views[end], facing=outward, texture_map=projections[end], texture_origin=origin,
                corner_normals=corner_normals,
            )  # fmt: skip
    for index, view, sign in ((0, "rear", -1.0), (spans, "front", 1.0)):
        builder.polygon(
            grid[index],
            views[view],
            facing=(0, 0, sign),
            texture_map=projections[view],
            texture_origin=origin,
        )
    _add_wheels(builder, body)
    return builder.build()


def car(kind: str, paint: tuple[float, float, float], *, air: float, running: bool, lights: float) -> Mesh:
    """A car in its own axes.

    Args:
        kind: name of a body in BODIES.
        paint: linear reflectance of the body.
        air: temperature of the air, which the body follows, in degrees Celsius.
        running: engine, tyres, brakes, exhaust and cabin are warm.
        lights: radiance of its lamps; 0 is off.
    """
    shell = _shell(kind)
    faces = shell.faces.copy()
    surface = faces["surface"]
    textured, wheels = surface["texture"] > 0, surface["texture"] == texture("wheel")
    painted = ~wheels & (surface["color"][:, 0] == np.float32(0.5))
    surface["color"][painted] = paint
    surface["emission"] = lights
    surface["emission"][~textured] = 0.0
    surface["temperature"] = air + (2.5 if running else -1.5)
    if not running:
        surface["heat_scale"] *= 0.12
    glass = ~textured & ~painted & (surface["gloss"] > 0.9)
    surface["temperature"][glass] = air + (3.5 if running else -3.0)
    bonnet = painted & ~textured & (faces["origin"][:, 2] > 0.9)
    surface["temperature"][bonnet] += 9.0 if running else 0.0
    return Mesh(shell.vertices, shell.starts, faces)
