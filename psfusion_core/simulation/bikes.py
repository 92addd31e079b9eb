"""Bicycles: tube frames, wheel rings and a saddle, in the bicycle's own axes (front towards +z)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import LIMB, OBJECT_LAYER
from psfusion_core.simulation.mesh import Mesh, Surface
from psfusion_core.simulation.mesh_builder import MeshBuilder
from psfusion_core.simulation.texture_library import texture

BIKE = 3
WHEEL_RADIUS = 0.34
_AXLES = (-0.52, 0.54)
_PAINTS = ((0.30, 0.03, 0.03), (0.03, 0.08, 0.28), (0.05, 0.05, 0.05), (0.5, 0.5, 0.5), (0.04, 0.22, 0.14))


@dataclass(frozen=True)
class Bike:
    """A bicycle in the world: mesh of the wheels and limbs of the frame."""

    mesh: Mesh
    limbs: npt.NDArray[np.void]


def _ring(z: float, outer: float, inner: float) -> list[tuple[float, float, float]]:
    """Outline of a wheel ring as one polygon: out and back along the inside."""
    turns = [2.0 * math.pi * k / 22 for k in range(23)]
    circle = [(0.0, WHEEL_RADIUS + outer * math.sin(a), z + outer * math.cos(a)) for a in turns]
    return circle + [
        (0.0, WHEEL_RADIUS + inner * math.sin(a), z + inner * math.cos(a)) for a in reversed(turns)
    ]


def bike(rng: np.random.Generator, air: float, ridden: bool) -> Bike:
    """A bicycle with its wheels on y = 0 and its anchor at the origin."""
    warm = air + (4.0 if ridden else 1.0)
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    frame = Surface(paint, texture("concrete"), 0, 0.3, warm, 6.0, BIKE)
    dark = Surface((0.04, 0.04, 0.042), 0, 0, 0.05, warm + 1.5, 0.0, BIKE)
    steel = Surface((0.42, 0.42, 0.43), 0, 0, 0.3, air + 0.5, 0.0, BIKE)
    tyre = Surface((0.035, 0.035, 0.035), 0, 0, 0.02, warm + 2.0, 0.0, BIKE)
    builder = MeshBuilder(OBJECT_LAYER)
    for z in _AXLES:
        builder.polygon(_ring(z, WHEEL_RADIUS, 0.295), tyre, anchor=(0, 0, 0), concave=True)
        for k in range(6):
            a, b = math.pi * k / 6, math.pi * k / 6 + 0.03
            spoke = [(0.0, WHEEL_RADIUS + 0.3 * r * math.sin(t), z + 0.3 * r * math.cos(t))
                     for r, t in ((1, a), (1, b), (-1, a), (-1, b))]  # fmt: skip
            builder.polygon(spoke, steel, anchor=(0, 0, 0))
    rear, front = ((0.0, WHEEL_RADIUS, z) for z in _AXLES)
    pedals, seat, head = (0.0, 0.30, -0.06), (0.0, 0.86, -0.22), (0.0, 0.84, 0.34)
    parts = (
        (pedals, seat, 0.022, frame), (pedals, head, 0.024, frame), (seat, head, 0.02, frame),
        (rear, pedals, 0.014, frame), (rear, seat, 0.012, frame), (head, front, 0.018, frame),
        (head, (0.0, 1.02, 0.32), 0.016, steel), ((-0.26, 1.06, 0.40), (0.26, 1.06, 0.40), 0.016, dark),
        ((0.0, 0.95, -0.34), (0.0, 0.94, -0.08), 0.05, dark), (seat, (0.0, 0.94, -0.24), 0.016, steel),
        ((-0.1, 0.30, -0.06), (0.1, 0.30, -0.06), 0.06, dark),
        ((0.0, 0.70, -0.86), (0.0, 0.72, -0.30), 0.012, dark),
        ((-0.09, 0.74, -0.56), (0.09, 0.74, -0.56), 0.05, dark),
    )  # fmt: skip
    limbs = np.zeros(len(parts), LIMB)
    for k, (start, end, radius, surface) in enumerate(parts):
        limbs[k]["start"], limbs[k]["end"], limbs[k]["radii"] = start, end, radius
        limbs[k]["roundness"], limbs[k]["surface"] = 1.0, surface.record()
    return Bike(builder.build(), limbs)


def place_bike(model: Bike, position: tuple[float, float, float], yaw: float, lean: float = 0.0) -> Bike:
    """The bicycle turned, leaned to its right by `lean` radians, and moved."""

    def move(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        tilt_sin, tilt_cos = math.sin(lean), math.cos(lean)
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        x, y = x * tilt_cos + y * tilt_sin, y * tilt_cos - x * tilt_sin
        sin, cos = math.sin(yaw), math.cos(yaw)
        return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1) + np.array(position)

    origin = move(np.zeros(3))
    faces = model.mesh.faces.copy()
    faces["origin"], faces["anchor"] = move(faces["origin"]), position
    faces["normal"] = move(faces["normal"]) - origin
    limbs = model.limbs.copy()
    limbs["start"], limbs["end"], limbs["anchor"] = move(limbs["start"]), move(limbs["end"]), position
    return Bike(Mesh(move(model.mesh.vertices), model.mesh.starts, faces), limbs)
