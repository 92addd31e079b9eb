"""Shapes that turn towards the camera: round limbs and poles, and leafy sprites."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.mesh import FACE, SURFACE, Mesh, Surface
from psfusion_core.simulation.simulated_camera import Camera, dot3

FloatArray = npt.NDArray[np.float64]

LIMB = np.dtype(
    [
        ("anchor", "f8", 3),
        ("start", "f8", 3),
        ("end", "f8", 3),
        ("radii", "f8", 2),
        ("roundness", "f8"),
        ("surface", SURFACE),
    ]
)
"""Tapered rod from `start` to `end`; roundness 1 ends in half-balls, 0 flat."""

SPRITE = np.dtype([("anchor", "f8", 3), ("center", "f8", 3), ("half_size", "f8", 2), ("surface", SURFACE)])
"""Upright picture with a cut-out outline, always seen from the front."""

OBJECT_LAYER = 20
"""Layer of everything that stands on the ground."""

_ARC = ((0.0, 1.0), (0.5, 0.866), (0.866, 0.5), (1.0, 0.0))
"""Quarter circle as (along, across)."""


def limb(
    start: Sequence[float],
    end: Sequence[float],
    radii: tuple[float, float],
    surface: Surface,
    roundness: float = 1.0,
) -> npt.NDArray[np.void]:
    """One LIMB record whose anchor is its foot point."""
    record = np.zeros((), LIMB)
    record["anchor"] = start
    record["start"], record["end"] = start, end
    record["radii"], record["roundness"] = radii, roundness
    record["surface"] = surface.record()
    return record


def sprite(
    anchor: Sequence[float], center: Sequence[float], half_size: tuple[float, float], surface: Surface
) -> npt.NDArray[np.void]:
    """One SPRITE record."""
    record = np.zeros((), SPRITE)
    record["anchor"], record["center"], record["half_size"] = anchor, center, half_size
    record["surface"] = surface.record()
    return record


def _unit(vectors: FloatArray) -> FloatArray:
    return vectors / np.sqrt(np.maximum(dot3(vectors, vectors), 1e-18))[..., None]


def limbs_to_mesh(limbs: npt.NDArray[np.void], camera: Camera) -> Mesh:
    """Outline of each limb in the plane through its axis that faces the camera."""
    if not len(limbs):
        return Mesh()
    start, end = limbs["start"], limbs["end"]
    axis = end - start
    along = _unit(np.where(np.abs(axis).sum(axis=1, keepdims=True) > 1e-9, axis, (0.0, 1.0, 0.0)))
    middle = (start + end) / 2.0
    view = _unit(camera.origin - middle)
    across = _unit(np.cross(along, view))
    normal = np.cross(across, along)
    normal *= np.sign(dot3(normal, view))[:, None]
    outline = []
    for point, radius, sign in ((end, limbs["radii"][:, 1], 1.0), (start, limbs["radii"][:, 0], -1.0)):
        arc = [(a, side * b) for side in (1.0, -1.0) for a, b in (_ARC if side > 0 else _ARC[-2::-1])]
        for forward, sideways in arc:
            reach = (radius * limbs["roundness"] * forward * sign)[:, None]
            outline.append(point + along * reach + across * (radius * sideways * sign)[:, None])
    radius = limbs["radii"].max(axis=1)
    length = np.sqrt(dot3(axis, axis)) / 2.0 + radius
    faces = np.zeros(len(limbs), FACE)
    faces["anchor"], faces["origin"], faces["normal"] = limbs["anchor"], middle, normal
    faces["texture_map"][:, 0] = across / radius[:, None]
    faces["texture_map"][:, 1] = -along / length[:, None]
    faces["normal_slope"] = across[:, :, None] * (1.1 * across / radius[:, None])[:, None, :]
    faces["surface"] = limbs["surface"]
    faces["layer"], faces["two_sided"] = OBJECT_LAYER, True
    return Mesh.regular(np.stack(outline, axis=1), faces)


def sprites_to_mesh(sprites: npt.NDArray[np.void], camera: Camera) -> Mesh:
    """Rectangle of each sprite, parallel to the image plane."""
    if not len(sprites):
        return Mesh()
    right, up, forward = camera.axes
    half = sprites["half_size"]
    across = half[:, :1] * right
    above = half[:, 1:] * up
    center = sprites["center"]
    corners = [center - across + above, center + across + above, center + across - above]
    corners.append(center - across - above)
    faces = np.zeros(len(sprites), FACE)
    faces["anchor"], faces["origin"], faces["normal"] = sprites["anchor"], center, -forward
    faces["texture_map"][:, 0] = right / half[:, :1]
    faces["texture_map"][:, 1] = -up / half[:, 1:]
    faces["normal_slope"] = 0.9 * (
        right[None, :, None] * (right / half[:, :1])[:, None, :]
        + up[None, :, None] * (up / half[:, 1:])[:, None, :]
    )
    faces["surface"] = sprites["surface"]
    faces["layer"], faces["two_sided"], faces["cutout"] = OBJECT_LAYER, True, True
    return Mesh.regular(np.stack(corners, axis=1), faces)
