"""Shadows of the sun, contact darkening and warm patches on the ground, drawn in image space."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import OBJECT_LAYER
from psfusion_core.simulation.mesh import Mesh
from psfusion_core.simulation.raster import project_polygons
from psfusion_core.simulation.simulated_camera import Camera, dot3
from psfusion_core.simulation.stage import Stage

FloatArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]

_SHADOW_REACH = 110.0
_CONTACT_REACH = 60.0
_LEAF_PATCHES = 26


@dataclass(frozen=True)
class GroundMasks:
    """(H, W) uint8 images of blocked sun, blocked sky light, and warmth; 0 is none, 255 full."""

    shadow: Mask
    contact: Mask
    warmth: Mask


def _fill(camera: Camera, mask: Mask, polygons: FloatArray, values: npt.NDArray[np.int64] | int) -> None:
    """Draw (F, K, 3) world polygons, each with its grey value."""
    if not len(polygons):
        return
    count, corners = polygons.shape[:2]
    points = camera.to_camera(polygons.reshape(-1, 3))
    outlines = project_polygons(camera, points, np.arange(count + 1) * corners, 1)
    grey = np.broadcast_to(np.asarray(values), (count,))
    for outline, value in zip(outlines, grey.tolist(), strict=True):
        if outline is not None:
            cv2.fillConvexPoly(mask, outline, int(value), cv2.LINE_AA, 4)


def _onto_ground(points: FloatArray, sun: FloatArray) -> FloatArray:
    """Where the sun casts (..., 3) points on the level y = 0."""
    return points - sun * (points[..., 1:2] / sun[1])


def cast_shadows(stage: Stage, sun_direction: tuple[float, float, float]) -> Mask:
    """(H, W) shadow of everything that stands on the ground."""
    camera, sun = stage.camera, np.array(sun_direction)
    mask = np.zeros((camera.height, camera.width), np.uint8)
    mesh = stage.mesh
    faces = mesh.faces
    depth = dot3(faces["anchor"] - camera.origin, camera.axes[2])
    caster = (faces["layer"] >= OBJECT_LAYER - 1) & ~faces["cutout"] & (depth < _SHADOW_REACH)
    caster &= faces["two_sided"] | (dot3(faces["normal"], sun) > 0.0)
    casters: Mesh = mesh.select(caster)
    if len(casters):
        points = camera.to_camera(_onto_ground(casters.vertices, sun))
        for outline in project_polygons(camera, points, casters.starts, 1):
            if outline is not None:
                cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_AA, 4)
    sprites = stage.sprites
    depth = dot3(sprites["anchor"] - camera.origin, camera.axes[2])
    sprites = sprites[depth < _SHADOW_REACH]
    if len(sprites):
        _fill(camera, mask, _onto_ground(_leaf_patches(sprites, sun), sun), 225)
    return np.asarray(cv2.GaussianBlur(mask, (5, 5), 0), np.uint8)


def _leaf_patches(sprites: npt.NDArray[np.void], sun: FloatArray) -> FloatArray:
    """(F, 8, 3) patches of leaves of each sprite, facing the sun, with gaps between them."""
    across = np.cross(sun, (0.0, 1.0, 0.0))
    across = across / np.sqrt(dot3(across, across))
    above = np.cross(across, sun)
    rng = np.random.default_rng(3)
    spots = np.stack(
        [*(1.7 * rng.random((2, _LEAF_PATCHES)) - 0.85), 0.08 + 0.24 * rng.random(_LEAF_PATCHES)], axis=1
    )
    spots = spots[spots[:, 0] ** 2 + spots[:, 1] ** 2 < 0.8]
    corners = [
        (1.0, 0.1),
        (0.6, 0.6),
        (0.0, 1.0),
        (-0.8, 0.7),
        (-0.9, -0.1),
        (-0.6, -0.8),
        (0.1, -1.0),
        (0.8, -0.5),
    ]
    ring = np.array(corners)
    local = spots[:, None, :2] + spots[:, None, 2:] * ring[None]
    half = sprites["half_size"]
    patches = (
        sprites["center"][:, None, None, :]
        + across * (local[None, ..., :1] * half[:, None, None, :1])
        + above * (local[None, ..., 1:] * half[:, None, None, 1:])
    )
    return patches.reshape(-1, 8, 3)


def contact_masks(stage: Stage) -> tuple[Mask, Mask]:
    """(H, W) darkening under objects and warmth under running cars."""
    camera = stage.camera
    prints = stage.footprints
    depth = dot3(prints["anchor"] - camera.origin, camera.axes[2])
    prints = prints[(depth < _CONTACT_REACH) & (depth > -4.0)]
    contact = np.zeros((camera.height, camera.width), np.uint8)
    warmth = contact.copy()
    warm = prints[prints["warmth"] > 0.0]
    for scale, value in ((1.30, 60), (1.12, 120), (0.95, 190), (0.8, 235)):
        _fill(camera, contact, _rounded(prints, scale), value)
        _fill(camera, warmth, _rounded(warm, scale), value)
    sigma = max(1.2 * camera.width / 640.0, 0.6)
    blurred = [np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.uint8) for mask in (contact, warmth)]
    return blurred[0], blurred[1]


def _rounded(prints: npt.NDArray[np.void], scale: float) -> FloatArray:
    """(F, 12, 3) rectangles with cut corners on the ground."""
    unit = [(1.0, 0.7), (0.85, 0.93), (0.6, 1.0)]
    quarter = np.array(unit)
    ring = np.concatenate([quarter, quarter[::-1] * (-1, 1), quarter * (-1, -1), quarter[::-1] * (1, -1)])
    local = ring[None] * prints["half_size"][:, None, :] * scale
    sin, cos = np.sin(prints["yaw"])[:, None], np.cos(prints["yaw"])[:, None]
    x = local[..., 0] * cos + local[..., 1] * sin
    z = local[..., 1] * cos - local[..., 0] * sin
    return prints["anchor"][:, None, :] + np.stack([x, np.full_like(x, 0.01), z], axis=-1)


def ground_masks(stage: Stage, sun_direction: tuple[float, float, float] | None) -> GroundMasks:
    """All masks; without a sun nothing casts a shadow."""
    contact, warmth = contact_masks(stage)
    shadow = np.zeros_like(contact) if sun_direction is None else cast_shadows(stage, sun_direction)
    return GroundMasks(shadow, contact, warmth)
