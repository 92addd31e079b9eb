"""Halos that lamps pointed at the camera leave in the picture, hidden where something stands before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.gbuffer import FaceTables
from psfusion_core.simulation.lights import COLORS, LAMP, RED, WHITE
from psfusion_core.simulation.simulated_camera import Camera
from psfusion_core.simulation.stage import Stage

FloatArray = npt.NDArray[np.float64]

_FAR = 180.0
_TEST = 2
"""Half size in pixels of the window in which a lamp is looked for."""


@dataclass(frozen=True)
class Flare:
    """A lamp: place in the world, colour number, radiance of its halo at 10 m, and radius there (640 px)."""

    position: FloatArray
    kind: int
    strength: float
    radius: float


def flares_in_sight(stage: Stage, sky: Atmosphere) -> list[Flare]:
    """Halos of street lamps, headlights that point this way and tail-lights."""
    flares = [Flare(point, LAMP, 0.05 * sky.lamps, 34.0) for point in stage.lamps]
    camera = stage.camera
    for car in stage.cars:
        forward = np.array(car.forward)
        across = np.array([forward[2], 0.0, -forward[0]]) * car.half_width
        for end, kind, sign, strength, radius in (
            (np.array(car.front), WHITE, -1.0, 0.15 * sky.headlights, 54.0),
            (np.array(car.rear), RED, 1.0, 0.2 * sky.tail_lights, 24.0),
        ):
            view = end - camera.origin
            aligned = float((view * forward).sum() / np.sqrt((view * view).sum())) * sign
            if aligned > 0.3:
                power = strength * (aligned - 0.3) / 0.7
                flares += [Flare(end + side * across, kind, power, radius) for side in (-1.0, 1.0)]
    return flares


def add_flares(
    channels: list[npt.NDArray[np.float32]], flares: list[Flare], stage: Stage, tables: FaceTables,
    faces: npt.NDArray[np.int32],
) -> None:  # fmt: skip
    """Add the halos to (H, W) radiances in place.

    Args:
        channels: red, green and blue.
        flares: The halos to add.
        stage: The stage, for its camera.
        tables: Planes of the faces, to find what hides a lamp.
        faces: (H, W) face number plus one of each pixel.
    """
    camera = stage.camera
    for flare in flares:
        x, y, depth = _image_position(camera, flare.position)
        if depth < 2.0:
            continue
        share = min((_FAR - depth) / 60.0, 1.0)  # fades in
        if share > 0.0:
            share *= _share_in_view(camera, tables, faces, x, y, depth)
        if share <= 0.0:
            continue
        near = 10.0 / depth
        radius = flare.radius * (0.25 + 0.75 * min(near, 1.6)) * camera.width / 640.0
        peak = flare.strength * share * min(0.35 + near, 2.0)
        _add_halo(channels, x, y, max(radius, 1.5), peak, COLORS[flare.kind])


def _image_position(camera: Camera, point: FloatArray) -> tuple[float, float, float]:
    in_camera = camera.to_camera(point)
    depth = float(in_camera[2])
    if depth < 2.0:
        return 0.0, 0.0, depth
    pixel = camera.to_pixels(in_camera)
    return float(pixel[0]), float(pixel[1]), depth


def _share_in_view(
    camera: Camera, tables: FaceTables, faces: npt.NDArray[np.int32], x: float, y: float, depth: float
) -> float:
    """How much of a small window round (x, y) shows nothing nearer than `depth`."""
    column, row = int(x // 1), int(y // 1)
    if not (-_TEST <= column < camera.width + _TEST and -_TEST <= row < camera.height + _TEST):
        return 0.0
    rows = np.clip(np.arange(row - _TEST, row + _TEST + 1), 0, camera.height - 1)
    columns = np.clip(np.arange(column - _TEST, column + _TEST + 1), 0, camera.width - 1)
    grid_y, grid_x = (axis.reshape(-1) for axis in np.meshgrid(rows, columns, indexing="ij"))
    face = faces[grid_y, grid_x]
    rays = camera.rays((grid_x + 0.5).astype(np.float32), (grid_y + 0.5).astype(np.float32))
    plane = tables.plane[np.maximum(face - 1, 0)]
    toward = plane[:, 0] * rays[0] + plane[:, 1] * rays[1] + plane[:, 2] * rays[2]
    seen = np.where(face > 0, plane[:, 3] / np.minimum(toward, np.float32(-1e-6)), np.float32(1e6))
    return int((seen > depth - 0.7).sum()) / face.size


def _add_halo(
    channels: list[npt.NDArray[np.float32]], x: float, y: float, radius: float, peak: float,
    color: tuple[float, float, float],
) -> None:  # fmt: skip
    """Add a spot that falls to nothing at `radius` pixels."""
    height, width = channels[0].shape
    left, right = max(int(x - radius), 0), min(int(x + radius) + 2, width)
    top, bottom = max(int(y - radius), 0), min(int(y + radius) + 2, height)
    if left >= right or top >= bottom:
        return
    dx = (np.arange(left, right) + 0.5 - x) / radius
    dy = (np.arange(top, bottom) + 0.5 - y) / radius
    squared = dx[None, :] ** 2 + dy[:, None] ** 2
    fall = np.maximum(1.0 - squared, 0.0)
    spot = (peak * fall * fall / (1.0 + 40.0 * squared)).astype(np.float32)
    for channel, level in zip(channels, color, strict=True):
        channel[top:bottom, left:right] += spot * np.float32(level)
