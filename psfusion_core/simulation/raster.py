"""Which face each quarter-pixel sees: painter's algorithm into a buffer of face numbers."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.mesh import Mesh
from psfusion_core.simulation.simulated_camera import Camera, dot3

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
    outlines: list[npt.NDArray[np.int32] | None] = [None] * (len(starts) - 1)
    first = starts.tolist()
    for k in np.flatnonzero(seen).tolist():
        outlines[k] = fixed[first[k] : first[k + 1]]
    for k in np.flatnonzero(clipped).tolist():
        part = camera.to_pixels(clip_near(camera_points[first[k] : first[k + 1]]))
        outlines[k] = np.rint(np.clip(part * scale - 0.5, -1e6, 1e6) * one).astype(np.int32)
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
    cutout, concave = mesh.faces["cutout"].tolist(), mesh.faces["concave"].tolist()
    textures = mesh.faces["surface"]["texture"].tolist()
    for k in drawing_order(camera, mesh, points).tolist():
        outline = outlines[k]
        if outline is None:
            continue
        if cutout[k]:
            _draw_cutout(buffer, outline, k + 1, atlas.alpha[textures[k]])
        elif concave[k]:
            cv2.fillPoly(buffer, [outline], k + 1, cv2.LINE_8, _FRACTION_BITS)
        else:
            cv2.fillConvexPoly(buffer, outline, k + 1, cv2.LINE_8, _FRACTION_BITS)
    return buffer


def _draw_cutout(
    buffer: npt.NDArray[np.int32],
    outline: npt.NDArray[np.int32],
    value: int,
    alpha: list[npt.NDArray[np.bool_]],
) -> None:
    """Set the buffer where an axis-aligned sprite is opaque."""
    one = 1 << _FRACTION_BITS
    (x0, y0), _, (x1, y1), _ = outline.tolist()
    left, right = max((x0 + one - 1) // one, 0), min(x1 // one, buffer.shape[1] - 1)
    top, bottom = max((y0 + one - 1) // one, 0), min(y1 // one, buffer.shape[0] - 1)
    if left > right or top > bottom or x1 <= x0 or y1 <= y0:
        return
    texels_per_sample = alpha[0].shape[0] * one // max(x1 - x0, 1)
    mask = alpha[min(max(texels_per_sample.bit_length() - 1, 0), len(alpha) - 3)]
    size = mask.shape[0]
    columns = (np.arange(left * one - x0, right * one - x0 + 1, one) * size) // (x1 - x0 + 1)
    rows = (np.arange(top * one - y0, bottom * one - y0 + 1, one) * size) // (y1 - y0 + 1)
    opaque = mask.take(rows, axis=0).take(columns, axis=1)
    np.copyto(buffer[top : bottom + 1, left : right + 1], value, where=opaque)
