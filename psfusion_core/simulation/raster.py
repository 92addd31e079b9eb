"""Which face each quarter-pixel sees: painter's algorithm into a buffer of face numbers."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.camera import Camera, dot3
from psfusion_core.simulation.mesh import Mesh

FloatArray = npt.NDArray[np.float64]

SAMPLES = 2
"""Samples per pixel in x and in y."""
NEAR = 0.3
"""Nothing closer than this along the optical axis is drawn, in metres."""
_FRACTION_BITS = 4


def clip_near(polygon: FloatArray) -> FloatArray:
    """Part of a (K, 3) polygon in camera axes at a depth of NEAR or more."""
    depth = polygon[:, 2] - NEAR
    kept = []
    for k in range(len(polygon)):
        following = (k + 1) % len(polygon)
        if depth[k] >= 0.0:
            kept.append(polygon[k])
        if (depth[k] >= 0.0) != (depth[following] >= 0.0):
            share = depth[k] / (depth[k] - depth[following])
            kept.append(polygon[k] + (polygon[following] - polygon[k]) * share)
    return np.array(kept).reshape(-1, 3)


def project_polygons(
    camera: Camera, camera_points: FloatArray, starts: npt.NDArray[np.int64], scale: int
) -> list[npt.NDArray[np.int32] | None]:
    """Outlines in fixed-point pixels of an image `scale` times as fine; None where out of sight.

    Args:
        camera: intrinsics and image size.
        camera_points: (V, 3) vertices in camera axes.
        starts: (F + 1,) first vertex of each polygon.
        scale: how much finer the target image is than the camera's.
    """
    if len(starts) < 2:
        return []
    depth = camera_points[:, 2]
    nearest = np.minimum.reduceat(depth, starts[:-1])
    farthest = np.maximum.reduceat(depth, starts[:-1])
    safe = camera_points.copy()
    safe[:, 2] = np.maximum(depth, NEAR)
    pixels = camera.to_pixels(safe)
    low, high = np.minimum.reduceat(pixels, starts[:-1]), np.maximum.reduceat(pixels, starts[:-1])
    seen = (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < camera.width) & (low[:, 1] < camera.height)
    clipped = (nearest < NEAR) & (farthest > NEAR)
    seen &= nearest >= NEAR
    seen &= (high - low).max(axis=1) > 0.35  # too small to show
    one = 1 << _FRACTION_BITS
    fixed = np.rint(np.clip(pixels * scale - 0.5, -1e6, 1e6) * one).astype(np.int32)
    outlines: list[npt.NDArray[np.int32] | None] = []
    for k in range(len(starts) - 1):
        if seen[k]:
            outlines.append(fixed[starts[k] : starts[k + 1]])
        elif clipped[k]:
            part = camera.to_pixels(clip_near(camera_points[starts[k] : starts[k + 1]]))
            outlines.append(np.rint(np.clip(part * scale - 0.5, -1e6, 1e6) * one).astype(np.int32))
        else:
            outlines.append(None)
    return outlines


def drawing_order(camera: Camera, mesh: Mesh, camera_points: FloatArray) -> npt.NDArray[np.int64]:
    """Face numbers by layer, then far to near by anchor, then by own distance; back sides left out."""
    faces = mesh.faces
    away = camera.origin - faces["origin"]
    front = faces["two_sided"] | (dot3(faces["normal"], away) > 0.0)
    anchor_depth = dot3(faces["anchor"] - camera.origin, camera.axes[2])
    counts = np.diff(mesh.starts)
    own_depth = np.add.reduceat(camera_points[:, 2], mesh.starts[:-1]) / counts
    order = np.lexsort((-own_depth, -anchor_depth, faces["layer"]))
    return order[front[order]]


def draw_faces(camera: Camera, mesh: Mesh, atlas: TextureAtlas) -> npt.NDArray[np.int32]:
    """(SAMPLES * H, SAMPLES * W) number of the face seen plus one; 0 where there is only sky."""
    buffer = np.zeros((camera.height * SAMPLES, camera.width * SAMPLES), np.int32)
    if not len(mesh):
        return buffer
    points = camera.to_camera(mesh.vertices)
    outlines = project_polygons(camera, points, mesh.starts, SAMPLES)
    cutout, concave = mesh.faces["cutout"], mesh.faces["concave"]
    textures = mesh.faces["surface"]["texture"]
    for k in drawing_order(camera, mesh, points):
        outline = outlines[k]
        if outline is None:
            continue
        if cutout[k]:
            _draw_cutout(buffer, outline, int(k) + 1, atlas.alpha[textures[k]])
        elif concave[k]:
            cv2.fillPoly(buffer, [outline], int(k) + 1, cv2.LINE_8, _FRACTION_BITS)
        else:
            cv2.fillConvexPoly(buffer, outline, int(k) + 1, cv2.LINE_8, _FRACTION_BITS)
    return buffer


def _draw_cutout(
    buffer: npt.NDArray[np.int32],
    outline: npt.NDArray[np.int32],
    value: int,
    alpha: list[npt.NDArray[np.bool_]],
) -> None:
    """Set the buffer where an axis-aligned sprite is opaque."""
    one = 1 << _FRACTION_BITS
    x0, y0 = (int(k) for k in outline[0])
    x1, y1 = (int(k) for k in outline[2])
    left, right = max((x0 + one - 1) // one, 0), min(x1 // one, buffer.shape[1] - 1)
    top, bottom = max((y0 + one - 1) // one, 0), min(y1 // one, buffer.shape[0] - 1)
    if left > right or top > bottom or x1 <= x0 or y1 <= y0:
        return
    texels_per_sample = alpha[0].shape[0] * one // max(x1 - x0, 1)
    mask = alpha[min(max(texels_per_sample.bit_length() - 1, 0), len(alpha) - 3)]
    size = mask.shape[0]
    columns = (np.arange(left, right + 1) * one - x0) * size // (x1 - x0)
    rows = (np.arange(top, bottom + 1) * one - y0) * size // (y1 - y0)
    opaque = mask[np.minimum(rows, size - 1)[:, None], np.minimum(columns, size - 1)[None, :]]
    region = buffer[top : bottom + 1, left : right + 1]
    region[opaque] = value
