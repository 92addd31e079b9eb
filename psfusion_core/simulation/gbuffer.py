"""Where each image sample lies in the world and what the surface is like there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.camera import Camera, dot3
from psfusion_core.simulation.mesh import Mesh

Floats = npt.NDArray[np.float32]
Vectors = tuple[Floats, Floats, Floats]

MAX_DEPTH = 2000.0


@dataclass(frozen=True)
class Samples:
    """Image samples: one per pixel first, then three more for each pixel on an outline.

    Attributes:
        face: (N,) face number plus one, 0 for sky.
        x, y: (N,) position in pixels.
        pixel: (N,) flat index of the pixel.
        outline: (E,) flat indices of the pixels with four samples; samples H * W + k * E + j (k = 0, 1, 2)
            belong to outline[j].
    """

    face: npt.NDArray[np.int32]
    x: Floats
    y: Floats
    pixel: npt.NDArray[np.int32]
    outline: npt.NDArray[np.int64]
    shape: tuple[int, int]

    def resolve(self, values: Floats) -> Floats:
        """Average (N,) sample values into (H, W) pixels."""
        count = self.shape[0] * self.shape[1]
        image = values[:count].copy()
        extra = values[count:].reshape(3, -1)
        image[self.outline] = (image[self.outline] + extra[0] + extra[1] + extra[2]) * np.float32(0.25)
        return image.reshape(self.shape)


def choose_samples(buffer: npt.NDArray[np.int32]) -> Samples:
    """One central sample where a pixel sees a single face, four where it sees several."""
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
    return Samples(face, column + shift_x, row + shift_y, pixel, outline, (height, width))


@dataclass(frozen=True)
class GBuffer:
    """Geometry and surface of the M samples that see a face.

    Attributes:
        index: (M,) number of the sample.
        face: (M,) face number.
        position: three (M,) coordinates relative to the camera, world axes, metres.
        view: three (M,) unit direction from the camera.
        distance: (M,) metres from the camera.
        normal: three (M,) unit normal.
        cosine: (M,) cosine between the normal and the direction to the camera.
        texels: (M, 8) uint8 channels of canvas.py.
        surface: (F,) surface records of all faces.
    """

    index: npt.NDArray[np.int64]
    face: npt.NDArray[np.int32]
    position: Vectors
    view: Vectors
    distance: Floats
    normal: Vectors
    cosine: Floats
    texels: npt.NDArray[np.uint8]
    surface: npt.NDArray[np.void]

    def of_face(self, name: str) -> Floats:
        """(M,) or (M, 3) surface field of each sample's face."""
        return np.ascontiguousarray(self.surface[name]).take(self.face, axis=0)

    def channel(self, number: int) -> Floats:
        """(M,) texture channel in [0, 1]."""
        return self.texels[:, number] * np.float32(1.0 / 255.0)


def locate(
    camera: Camera, mesh: Mesh, atlas: TextureAtlas, samples: Samples, dither: Floats
) -> GBuffer:
    """Intersect the samples' rays with the planes of their faces and look up the textures.

    Args:
        dither: (H * W,) factors near 1 that spread the steps between texture levels.
    """
    index = np.flatnonzero(samples.face)
    face = samples.face[index] - np.int32(1)
    rays = camera.rays(samples.x[index], samples.y[index])
    faces = mesh.faces
    offset = faces["origin"] - camera.origin
    towards = np.where(dot3(faces["normal"], offset) > 0.0, -1.0, 1.0)[:, None]
    normal = faces["normal"] * towards
    plane = np.concatenate([normal, dot3(normal, offset)[:, None]], axis=1).astype(np.float32)
    p = plane.take(face, axis=0)
    toward = rays[0] * p[:, 0] + rays[1] * p[:, 1] + rays[2] * p[:, 2]
    depth = np.clip(p[:, 3] / np.minimum(toward, np.float32(-1e-6)), 0.1, MAX_DEPTH)
    position = (rays[0] * depth, rays[1] * depth, rays[2] * depth)
    length = np.sqrt(rays[0] * rays[0] + rays[1] * rays[1] + rays[2] * rays[2])
    view = (rays[0] / length, rays[1] / length, rays[2] / length)

    bent = _bent_normals(faces, normal, towards, offset, face, p, position)
    cosine = np.maximum(-(bent[0] * view[0] + bent[1] * view[1] + bent[2] * view[2]), np.float32(0.02))
    slant = np.maximum(-toward / length, np.float32(0.02))
    footprint = depth / np.sqrt(slant) * np.float32(1.0 / camera.focal) * dither.take(samples.pixel[index])
    texels = _texels(faces, offset, atlas, face, position, footprint)
    return GBuffer(index, face, position, view, depth * length, bent, cosine, texels, faces["surface"])


def _bent_normals(
    faces: npt.NDArray[np.void],
    normal: npt.NDArray[np.float64],
    towards: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    face: npt.NDArray[np.int32],
    plane: Floats,
    position: Vectors,
) -> Vectors:
    """Unit normals, following the slope of the faces that are shaded round."""
    bent = [plane[:, k].copy() for k in range(3)]
    slope = faces["normal_slope"] * towards[..., None]
    curved = np.abs(slope).sum(axis=(1, 2)) > 0.0
    subset = np.flatnonzero(curved.take(face))
    if len(subset):
        base = np.stack([normal[:, k] - dot3(slope[:, k], offset) for k in range(3)], axis=1)
        table = np.concatenate([slope.reshape(-1, 9), base], axis=1).astype(np.float32)
        rows = table.take(face[subset], axis=0)
        x, y, z = (position[k][subset] for k in range(3))
        n = [rows[:, 3 * k] * x + rows[:, 3 * k + 1] * y + rows[:, 3 * k + 2] * z for k in range(3)]
        n = [n[k] + rows[:, 9 + k] for k in range(3)]
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + np.float32(1e-6)
        for k in range(3):
            bent[k][subset] = n[k] / length
    return bent[0], bent[1], bent[2]


def _texels(
    faces: npt.NDArray[np.void],
    offset: npt.NDArray[np.float64],
    atlas: TextureAtlas,
    face: npt.NDArray[np.int32],
    position: Vectors,
    footprint: Floats,
) -> npt.NDArray[np.uint8]:
    """(M, 8) texels; plain faces are white all over."""
    texture = faces["surface"]["texture"]
    texels = np.empty((len(face), 8), np.uint8)
    texels[:] = (255, 255, 255, 255, 255, 128, 255, 255)
    subset = np.flatnonzero((texture > 0).take(face))
    if len(subset):
        axes = faces["texture_map"] * 0.5
        start = np.stack([0.5 - dot3(axes[:, k], offset) for k in (0, 1)], axis=1)
        scale = np.sqrt(dot3(axes, axes).max(axis=1))
        table = np.concatenate([axes.reshape(-1, 6), start - np.floor(start), scale[:, None]], axis=1)
        rows = table.astype(np.float32).take(face[subset], axis=0)
        x, y, z = (position[k][subset] for k in range(3))
        u = rows[:, 0] * x + rows[:, 1] * y + rows[:, 2] * z + rows[:, 6]
        v = rows[:, 3] * x + rows[:, 4] * y + rows[:, 5] * z + rows[:, 7]
        number = texture.take(face[subset])
        texels[subset] = atlas.sample(number, u, v, rows[:, 8] * footprint[subset])
    return texels
