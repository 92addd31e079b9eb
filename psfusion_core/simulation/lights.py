"""Lamps at night: how much light reaches each sample, and how brightly wet ground mirrors it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.camera import Camera, dot3
from psfusion_core.simulation.gbuffer import GBuffer
from psfusion_core.simulation.stage import Stage

Floats = npt.NDArray[np.float32]

LAMP, WHITE, RED, SHOP = range(4)
COLORS = ((1.0, 0.76, 0.46), (0.94, 0.97, 1.0), (1.0, 0.08, 0.05), (1.0, 0.84, 0.60))
"""Linear colour of each kind of light."""


@dataclass(frozen=True)
class Light:
    """One light.

    Attributes:
        kind: LAMP, WHITE (headlight), RED (tail-light) or SHOP.
        position: relative to the camera, world axes.
        forward: axis of a headlight's beam.
        power: irradiance at 1 m.
        reach: distance beyond which it is left out.
    """

    kind: int
    position: tuple[float, float, float]
    forward: tuple[float, float, float]
    power: float
    reach: float


def lights_in_sight(stage: Stage, own_beam: float, lamp_power: float) -> list[Light]:
    """The lights near enough to matter, own headlights first."""
    camera = stage.camera
    right, _, forward = camera.axes
    level = (float(forward[0]), 0.0, float(forward[2]))
    lights = [
        Light(WHITE, (side * float(right[0]), -0.85, side * float(right[2])), level, own_beam, 90.0)
        for side in (-0.6, 0.6)
    ]
    down = (0.0, -1.0, 0.0)
    for kind, points, power, reach in (
        (LAMP, stage.lamps, lamp_power, 26.0), (SHOP, stage.shop_lights, lamp_power * 0.055, 9.0),
    ):  # fmt: skip
        for point in _near(camera, points, -reach, 130.0 if kind == LAMP else 60.0):
            lights.append(Light(kind, point, down, power, reach))
    for vehicle in stage.cars:
        front, rear = _relative(camera, vehicle.front), _relative(camera, vehicle.rear)
        if -4.0 < front[2] < 120.0:
            lights.append(Light(WHITE, front, vehicle.forward, own_beam * 1.2, 42.0))
        if 0.0 < rear[2] < 80.0:
            lights.append(Light(RED, rear, vehicle.forward, 0.9, 9.0))
    return lights


def _relative(camera: Camera, point: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = (np.array(point) - camera.origin).tolist()
    return x, y, z


def _near(
    camera: Camera, points: npt.NDArray[np.float64], low: float, high: float
) -> list[tuple[float, float, float]]:
    depth = dot3(points - camera.origin, camera.axes[2])
    return [_relative(camera, tuple(point)) for point in points[(depth > low) & (depth < high)].tolist()]


def irradiance(gbuffer: GBuffer, lights: list[Light], gloss: Floats) -> tuple[list[Floats], list[Floats]]:
    """Light received and light mirrored towards the camera, by kind of light.

    Args:
        gbuffer: the samples.
        lights: what shines.
        gloss: (M,) mirror-like share of the surface.

    Returns:
        For each kind (M,) irradiance over pi, and (M,) mirrored radiance.
    """
    count = len(gbuffer.face)
    received = [np.zeros(count, np.float32) for _ in COLORS]
    mirrored = [np.zeros(count, np.float32) for _ in COLORS]
    for light in lights:
        _add_light(gbuffer, light, gloss, received[light.kind], mirrored[light.kind])
    return received, mirrored


def _add_light(gbuffer: GBuffer, light: Light, gloss: Floats, received: Floats, mirrored: Floats) -> None:
    lx, ly, lz = (np.float32(value) for value in light.position)
    reach = np.float32(light.reach)
    position = gbuffer.position
    near = np.flatnonzero((np.abs(position[2] - lz) < reach) & (np.abs(position[0] - lx) < reach))
    if not len(near):
        return
    dx, dy, dz = lx - position[0][near], ly - position[1][near], lz - position[2][near]
    squared = dx * dx + dy * dy + dz * dz + np.float32(0.05)
    keep = np.flatnonzero(squared < reach * reach)
    near = near[keep]
    dx, dy, dz, squared = dx[keep], dy[keep], dz[keep], squared[keep]
    distance = np.sqrt(squared)
    dx, dy, dz = dx / distance, dy / distance, dz / distance
    window = np.float32(1.0) - squared / (reach * reach)
    intensity = np.float32(light.power) * window * window / squared * _profile(light, dx, dy, dz)
    nx, ny, nz = (component[near] for component in gbuffer.normal)
    facing = np.maximum(nx * dx + ny * dy + nz * dz, np.float32(0.0))
    received[near] += intensity * facing
    shiny = np.flatnonzero((gloss[near] > 0.02) & (facing > 0.0))
    if not len(shiny):
        return
    at = near[shiny]
    hx, hy, hz = (d[shiny] - gbuffer.view[k][at] for k, d in enumerate((dx, dy, dz)))
    along = hx * nx[shiny] + hy * ny[shiny] + hz * nz[shiny]
    lobe = along * along / (hx * hx + hy * hy + hz * hz)
    for _ in range(5):
        lobe = lobe * lobe
    grazing = np.float32(1.0) - gbuffer.cosine[at]
    fresnel = np.float32(0.05) + np.float32(0.95) * grazing * grazing * grazing * grazing * grazing
    mirrored[at] += intensity[shiny] * lobe * fresnel * gloss[at] * np.float32(6.0)


def _profile(light: Light, dx: Floats, dy: Floats, dz: Floats) -> Floats | np.float32:
    """Share of the light's power sent along -(dx, dy, dz)."""
    one = np.float32(1.0)
    if light.kind == LAMP:  # downwards, evenly over the road
        below = np.clip((dy - np.float32(0.12)) * np.float32(1.6), 0.0, 1.0)
        return below * below * (np.float32(1.35) - np.float32(0.35) * dy)
    if light.kind == WHITE:  # low beam: wide, cut off a little below the horizontal
        fx, _, fz = (np.float32(value) for value in light.forward)
        along = np.maximum(-(dx * fx + dz * fz), np.float32(1e-3))
        aside = (dz * fx - dx * fz) / along
        drop = dy / along
        spread = aside * aside * np.float32(1.0 / (0.33 * 0.33))
        cut = np.clip((drop + np.float32(0.02)) * np.float32(22.0), 0.035, 1.0)
        steep = drop * np.float32(1.0 / 0.30)
        lit = cut / ((one + spread * spread) * (one + steep * steep))
        return np.where(along > np.float32(0.1), lit, np.float32(0.0))
    return one
