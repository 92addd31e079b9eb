"""Where each image sample lies in the world and what the surface is like there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.mesh import SURFACE, Mesh
from psfusion_core.simulation.simulated_camera import Camera, dot3

Floats = npt.NDArray[np.float32]
Vectors = tuple[Floats, Floats, Floats]

MAX_DEPTH = 2000.0
BLOCK = 65536
"""Number of samples that are processed at a time."""


@dataclass(frozen=True)
class Samples:
    """Image samples: one per pixel first, then three more for each pixel on an outline.

    Attributes:
        face: (N,) face number plus one, 0 for sky.
        x, y: (N,) position in pixels.
        pixel: (N,) flat index of the pixel.
    """

    face: npt.NDArray[np.int32]
    x: Floats
    y: Floats
    pixel: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.face)

    def blocks(self) -> Iterator[tuple[slice, Samples]]:
        """The samples in parts small enough for the processor's cache."""
        for start in range(0, len(self), BLOCK):
            part = slice(start, start + BLOCK)
            yield part, Samples(self.face[part], self.x[part], self.y[part], self.pixel[part])


def choose_samples(buffer: npt.NDArray[np.int32]) -> tuple[Samples, npt.NDArray[np.int64]]:
    """One central sample where a pixel sees a single face, four where it sees several.

    Args:
        buffer: (2 H, 2 W) face numbers.

    Returns:
        The samples and the (E,) flat indices of the pixels with four of them.
    """
    height, width = buffer.shape[0] // 2, buffer.shape[1] // 2
    quarters = [buffer[row::2, column::2].ravel() for row in (0, 1) for column in (0, 1)]
    several = (quarters[0] != quarters[1]) | (quarters[2] != quarters[3]) | (quarters[0] != quarters[2])
    outline = np.flatnonzero(several)
    pixel = np.concatenate([np.arange(height * width), outline, outline, outline]).astype(np.int32)
    row, column = np.divmod(pixel, np.int32(width))
    shift_x = np.full(len(pixel), 0.5, np.float32)
    shift_y = shift_x.copy()
    shift_x[outline] = shift_y[outline] = 0.25
    parts = np.split(np.arange(height * width, len(pixel)), 3)
    for part, (dx, dy) in zip(parts, ((0.75, 0.25), (0.25, 0.75), (0.75, 0.75)), strict=True):
        shift_x[part], shift_y[part] = dx, dy
    face = np.concatenate([quarters[0], *(quarter[outline] for quarter in quarters[1:])])
    shift_x += column
    shift_y += row
    return Samples(face, shift_x, shift_y, pixel), outline


def resolve(values: Floats, outline: npt.NDArray[np.int64], height: int, width: int) -> Floats:
    """Average (N,) sample values into (H, W) pixels."""
    count = height * width
    image = values[:count].copy()
    extra = values[count:].reshape(3, -1)
    image[outline] = (image[outline] + extra[0] + extra[1] + extra[2]) * np.float32(0.25)
    return image.reshape(height, width)


class FaceTables:
    """Planes, texture maps and surfaces of all faces, relative to the camera, ready for look-up.

    Args:
        camera: The camera that sees them.
        mesh: The faces.
    """

    def __init__(self, camera: Camera, mesh: Mesh) -> None:
        faces = mesh.faces
        offset = faces["origin"] - camera.origin
        towards = np.where(dot3(faces["normal"], offset) > 0.0, -1.0, 1.0)[:, None]
        normal = faces["normal"] * towards
        self.plane = np.concatenate([normal, dot3(normal, offset)[:, None]], axis=1).astype(np.float32)

        slope = faces["normal_slope"] * towards[..., None]
        self.curved = np.abs(slope).sum(axis=(1, 2)) > 0.0
        base = np.stack([normal[:, k] - dot3(slope[:, k], offset) for k in range(3)], axis=1)
        self.bend = np.concatenate([slope.reshape(-1, 9), base], axis=1).astype(np.float32)

        self.texture = np.ascontiguousarray(faces["surface"]["texture"])
        axes = faces["texture_map"] * 0.5
        start = 0.5 + 0.5 * faces["texture_offset"]
        start -= np.stack([dot3(axes[:, k], offset) for k in (0, 1)], axis=1)
        scale = np.sqrt(dot3(axes, axes).max(axis=1))
        mapping = np.concatenate([axes.reshape(-1, 6), start - np.floor(start), scale[:, None]], axis=1)
        self.mapping = mapping.astype(np.float32)
        self.surface = {name: np.ascontiguousarray(faces["surface"][name]) for name in SURFACE.names or ()}


@dataclass(frozen=True)
class GBuffer:
    """Geometry and surface of the M samples of a block that see a face.

    Attributes:
        index: (M,) number of the sample in its block.
        pixel: (M,) flat index of the pixel.
        column: (M,) column of the pixel.
        face: (M,) face number.
        position: three (M,) coordinates relative to the camera, world axes, metres.
        view: three (M,) unit direction from the camera.
        distance: (M,) metres from the camera.
        normal: three (M,) unit normal.
        cosine: (M,) cosine between the normal and the direction to the camera.
        texels: (8, M) uint8 channels of canvas.py.
        tables: properties of the faces.
    """

    index: npt.NDArray[np.int64]
    pixel: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    face: npt.NDArray[np.int32]
    position: Vectors
    view: Vectors
    distance: Floats
    normal: Vectors
    cosine: Floats
    texels: npt.NDArray[np.uint8]
    tables: FaceTables

    def of_face(self, name: str) -> Any:
        """(M,) or (M, 3) surface field of each sample's face."""
        return self.tables.surface[name].take(self.face, axis=0)

    def thinned(self) -> tuple[GBuffer, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Every second sample along rows of the same flat face, and all samples of round ones.

        Returns:
            The thinner buffer, the (K,) samples it keeps, and for each of the M samples the one of those
            that stands for it.
        """
        follows = np.zeros(len(self.face), np.bool_)
        follows[1:] = (self.face[1:] == self.face[:-1]) & (self.pixel[1:] == self.pixel[:-1] + np.int32(1))
        follows &= ((self.column & np.int32(1)) != 0) & ~self.tables.curved.take(self.face)
        kept = np.flatnonzero(~follows)
        stands_for = np.cumsum(~follows) - 1

        def thin(vectors: Vectors) -> Vectors:
            return vectors[0][kept], vectors[1][kept], vectors[2][kept]

        return (
            GBuffer(
                self.index[kept], self.pixel[kept], self.column[kept], self.face[kept], thin(self.position),
                thin(self.view), self.distance[kept], thin(self.normal), self.cosine[kept],
                self.texels[:, kept], self.tables,
            ),
            kept,
            stands_for,
        )  # fmt: skip

    def channel(self, number: int) -> Floats:
        """(M,) texture channel in [0, 1]."""
        return self.texels[number] * np.float32(1.0 / 255.0)


def locate(
    camera: Camera, tables: FaceTables, atlas: TextureAtlas, samples: Samples, dither: Floats
) -> GBuffer:
    """Intersect the samples' rays with the planes of their faces and look up the textures.

    Args:
        dither: (H * W,) factors near 1 that spread the steps between texture levels.
    """
    index = np.flatnonzero(samples.face)
    face = samples.face[index] - np.int32(1)
    pixel = samples.pixel[index]
    x = samples.x[index]
    rays = camera.rays(x, samples.y[index])
    plane = np.ascontiguousarray(tables.plane.take(face, axis=0).T)
    toward = rays[0] * plane[0] + rays[1] * plane[1] + rays[2] * plane[2]
    depth = np.clip(plane[3] / np.minimum(toward, np.float32(-1e-6)), 0.1, MAX_DEPTH)
    position = (rays[0] * depth, rays[1] * depth, rays[2] * depth)
    length = np.sqrt(rays[0] * rays[0] + rays[1] * rays[1] + rays[2] * rays[2])
    view = (rays[0] / length, rays[1] / length, rays[2] / length)

    normal = _bent_normals(tables, face, plane, position)
    cosine = np.maximum(-(normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]), np.float32(0.02))
    slant = np.maximum(-toward / length, np.float32(0.02))
    footprint = depth / np.sqrt(slant) * np.float32(1.0 / camera.focal) * dither.take(pixel)
    texels = _texels(tables, atlas, face, position, footprint)
    return GBuffer(
        index, pixel, x.astype(np.int32), face, position, view, depth * length, normal, cosine, texels, tables
    )


def _bent_normals(
    tables: FaceTables, face: npt.NDArray[np.int32], plane: Floats, position: Vectors
) -> Vectors:
    """Unit normals, following the slope of the faces that are shaded round."""
    subset = np.flatnonzero(tables.curved.take(face))
    if len(subset):
        rows = np.ascontiguousarray(tables.bend.take(face[subset], axis=0).T)
        x, y, z = (component[subset] for component in position)
        n = [rows[3 * k] * x + rows[3 * k + 1] * y + rows[3 * k + 2] * z + rows[9 + k] for k in range(3)]
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + np.float32(1e-6)
        for k in range(3):
            plane[k][subset] = n[k] / length
    return plane[0], plane[1], plane[2]


def _texels(
    tables: FaceTables, atlas: TextureAtlas, face: npt.NDArray[np.int32], position: Vectors, footprint: Floats
) -> npt.NDArray[np.uint8]:
    """(8, M) texels."""
    rows = np.ascontiguousarray(tables.mapping.take(face, axis=0).T)
    x, y, z = position
    u = rows[0] * x + rows[1] * y + rows[2] * z + rows[6]
    v = rows[3] * x + rows[4] * y + rows[5] * z + rows[7]
    texels = atlas.sample(tables.texture.take(face), u, v, rows[8] * footprint)
    return np.ascontiguousarray(texels.T)
