"""Planar polygons with their surface properties, in flat arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SURFACE = np.dtype(
    [
        ("color", "f4", 3),
        ("texture", "i4"),
        ("emission", "f4"),
        ("gloss", "f4"),
        ("temperature", "f4"),
        ("heat_scale", "f4"),
        ("label", "u1"),
        ("ground", "?"),
        ("sunlit", "f4"),
    ]
)
"""Properties a face shares over its area; see `Surface`."""

FACE = np.dtype(
    [
        ("anchor", "f8", 3),
        ("origin", "f8", 3),
        ("normal", "f8", 3),
        ("texture_map", "f8", (2, 3)),
        ("texture_offset", "f8", 2),
        ("normal_slope", "f8", (3, 3)),
        ("surface", SURFACE),
        ("layer", "i2"),
        ("two_sided", "?"),
        ("cutout", "?"),
        ("concave", "?"),
    ]
)
"""A face: the plane through `origin` with `normal`. The texture position (-1..1 over a tile) is
`texture_offset` at `origin`; it and the normal change linearly by `texture_map` and `normal_slope`. Faces are
drawn by layer, then from far to near by `anchor`, then by their own distance."""


@dataclass(frozen=True)
class Surface:
    """What a face is made of.

    Attributes:
        color: linear reflectance, red, green and blue.
        texture: number of the tile in the atlas; 0 is plain.
        emission: radiance given off where the tile's GLOW channel is full.
        gloss: mirror-like share where the tile's GLOSS channel is full.
        temperature: degrees Celsius.
        heat_scale: degrees Celsius that a full HEAT channel adds.
        label: class index.
        ground: lies on the ground: receives shadows and contact darkening.
        sunlit: share of the sun that reaches it.
    """

    color: tuple[float, float, float] = (0.3, 0.3, 0.3)
    texture: int = 0
    emission: float = 0.0
    gloss: float = 0.0
    temperature: float = 10.0
    heat_scale: float = 0.0
    label: int = 0
    ground: bool = False
    sunlit: float = 1.0

    def record(self) -> tuple[object, ...]:
        """The values in the order of SURFACE, to put into an array of that dtype."""
        values = (self.color, self.texture, self.emission, self.gloss, self.temperature, self.heat_scale)
        return (*values, self.label, self.ground, self.sunlit)


@dataclass(frozen=True)
class Mesh:
    """Polygons in flat arrays: face i has `vertices[starts[i]:starts[i + 1]]`."""

    vertices: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    faces: npt.NDArray[np.void] = field(default_factory=lambda: np.zeros(0, FACE))

    def __len__(self) -> int:
        return len(self.faces)

    @staticmethod
    def join(meshes: Sequence[Mesh]) -> Mesh:
        """All faces of `meshes` in one."""
        meshes = [mesh for mesh in meshes if len(mesh)]
        if not meshes:
            return Mesh()
        counts = np.concatenate([np.diff(mesh.starts) for mesh in meshes])
        starts = np.concatenate([[0], np.cumsum(counts)])
        vertices = np.concatenate([mesh.vertices for mesh in meshes])
        return Mesh(vertices, starts, np.concatenate([mesh.faces for mesh in meshes]))

    @staticmethod
    def regular(polygons: FloatArray, faces: npt.NDArray[np.void]) -> Mesh:
        """Mesh of (F, K, 3) polygons with the same number of corners."""
        count, corners = polygons.shape[:2]
        return Mesh(polygons.reshape(-1, 3), np.arange(count + 1) * corners, faces)

    def select(self, keep: npt.NDArray[np.bool_]) -> Mesh:
        """The faces where `keep` (F,) holds."""
        counts = np.diff(self.starts)
        vertices = self.vertices[np.repeat(keep, counts)]
        return Mesh(vertices, np.concatenate([[0], np.cumsum(counts[keep])]), self.faces[keep])

    def face_of_vertex(self) -> npt.NDArray[np.int64]:
        """(V,) number of the face each vertex belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def shifted(self, offset: FloatArray) -> Mesh:
        """Moved by (F, 3) or (3,) offsets."""
        per_face = np.broadcast_to(offset, (len(self), 3))
        faces = self.faces.copy()
        faces["anchor"] += per_face
        faces["origin"] += per_face
        return Mesh(self.vertices + per_face[self.face_of_vertex()], self.starts, faces)

    def placed(self, position: tuple[float, float, float], yaw: float) -> Mesh:
        """Turned about the vertical (positive from +z to +x), then moved; the anchor becomes `position`."""
        sin, cos = math.sin(yaw), math.cos(yaw)

        def turn(vectors: FloatArray) -> FloatArray:
            x, z = vectors[..., 0], vectors[..., 2]
            return np.stack([x * cos + z * sin, vectors[..., 1], z * cos - x * sin], axis=-1)

        faces = self.faces.copy()
        for name in ("origin", "normal", "texture_map"):
            faces[name] = turn(faces[name])
        slope = turn(faces["normal_slope"])
        faces["normal_slope"] = np.swapaxes(turn(np.swapaxes(slope, 1, 2)), 1, 2)
        faces["origin"] += np.array(position)
        faces["anchor"] = np.array(position)
        return Mesh(turn(self.vertices) + np.array(position), self.starts, faces)
