"""Building a mesh polygon by polygon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.mesh import FACE, SURFACE, Mesh, Surface
from psfusion_core.simulation.simulated_camera import dot3

FloatArray = npt.NDArray[np.float64]

_NO_SLOPE = np.zeros((3, 3))
_NO_TEXTURE = np.zeros((2, 3))


class MeshBuilder:
    """Collects polygons one by one.

    Args:
        layer: drawing layer of the faces added.
    """

    def __init__(self, layer: int) -> None:
        self.layer = layer
        self._polygons: list[FloatArray] = []
        self._columns: dict[str, list[object]] = {name: [] for name in FACE.names or ()}
        self._facing: list[Sequence[float]] = []
        self._texture_origins: list[Sequence[float] | None] = []

    def polygon(
        self,
        points: FloatArray | Sequence[Sequence[float]],
        surface: Surface,
        *,
        facing: Sequence[float] | None = None,
        texture_map: FloatArray | None = None,
        texture_origin: Sequence[float] | None = None,
        corner_normals: FloatArray | None = None,
        anchor: Sequence[float] | None = None,
        layer: int | None = None,
        concave: bool = False,
    ) -> None:
        """Add a planar polygon; one without area is left out.

        Args:
            points: (K, 3) corners in order.
            surface: its properties.
            facing: rough outward direction; without it both sides are seen.
            texture_map: (2, 3) tile position (-1..1 over a tile) per metre.
            texture_origin: where the tile position is (0, 0); the centroid unless given.
            corner_normals: (4, 3) normals at the corners of a quadrilateral, for round shading.
            anchor: point whose distance orders the drawing; the centroid unless given.
            layer: overrides the builder's layer.
            concave: the outline is not convex.
        """
        corners = np.asarray(points, np.float64)
        self._polygons.append(corners)
        self._facing.append((0.0, 0.0, 0.0) if facing is None else facing)
        self._texture_origins.append(texture_origin)
        slope = _NO_SLOPE if corner_normals is None else _normal_slope(corners, corner_normals)
        columns = self._columns
        columns["anchor"].append(anchor)
        columns["texture_map"].append(_NO_TEXTURE if texture_map is None else texture_map)
        columns["normal_slope"].append(slope)
        columns["surface"].append(surface.record())
        columns["layer"].append(self.layer if layer is None else layer)
        columns["two_sided"].append(facing is None)
        columns["concave"].append(concave)

    def build(self) -> Mesh:
        """The mesh of all polygons added so far."""
        if not self._polygons:
            return Mesh()
        counts = np.array([len(polygon) for polygon in self._polygons])
        starts = np.concatenate([[0], np.cumsum(counts)])
        vertices = np.concatenate(self._polygons)
        following = np.arange(len(vertices)) + 1
        following[starts[1:] - 1] = starts[:-1]
        normal = np.add.reduceat(np.cross(vertices, vertices[following]), starts[:-1], axis=0)
        length = np.sqrt(dot3(normal, normal))
        normal /= np.maximum(length, 1e-12)[:, None]
        normal *= np.where(dot3(normal, np.array(self._facing, np.float64)) < 0.0, -1.0, 1.0)[:, None]
        centroid = np.add.reduceat(vertices, starts[:-1], axis=0) / counts[:, None]

        faces = np.zeros(len(counts), FACE)
        for name in ("texture_map", "normal_slope", "layer", "two_sided", "concave"):
            faces[name] = self._columns[name]
        faces["surface"] = np.array(self._columns["surface"], SURFACE)
        faces["origin"], faces["normal"] = centroid, normal
        faces["anchor"] = [
            center if given is None else given
            for center, given in zip(centroid, self._columns["anchor"], strict=True)
        ]
        zero = [
            center if given is None else given
            for center, given in zip(centroid, self._texture_origins, strict=True)
        ]
        shift = (centroid - np.array(zero, np.float64))[:, None, :]
        faces["texture_offset"] = dot3(faces["texture_map"], shift)
        return Mesh(vertices, starts, faces).select(length > 1e-9)


def _normal_slope(corners: FloatArray, normals: FloatArray) -> FloatArray:
    """(3, 3) change of the normal per metre that fits the normals at four corners."""
    along = ((corners[1] + corners[2]) - (corners[0] + corners[3])) / 4.0
    across = ((corners[3] + corners[2]) - (corners[0] + corners[1])) / 4.0
    aa, ab, bb = float(dot3(along, along)), float(dot3(along, across)), float(dot3(across, across))
    determinant = aa * bb - ab * ab
    if determinant < 1e-12:
        return np.zeros((3, 3))
    dual_along = (along * bb - across * ab) / determinant
    dual_across = (across * aa - along * ab) / determinant
    change_along = ((normals[1] + normals[2]) - (normals[0] + normals[3])) / 4.0
    change_across = ((normals[3] + normals[2]) - (normals[0] + normals[1])) / 4.0
    return change_along[:, None] * dual_along[None, :] + change_across[:, None] * dual_across[None, :]
