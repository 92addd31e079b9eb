"""Lamps at night: how much light reaches each sample, and how brightly wet ground mirrors it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.camera import Camera, dot3
from psfusion_core.simulation.gbuffer import GBuffer
from psfusion_core.simulation.stage import Stage

Floats = npt.NDArray[np.float32]
ONE = np.float32(1.0)

LAMP, WHITE, RED, SHOP = range(4)
COLORS = ((1.0, 0.76, 0.46), (0.94, 0.97, 1.0), (1.0, 0.08, 0.05), (1.0, 0.84, 0.60))
"""Linear colour of each kind of light."""

BEAM_POWER, LAMP_POWER, SHOP_POWER, TAIL_POWER = 34.0, 74.0, 4.0, 0.9
"""Irradiance at 1 m over pi, of a headlight, a street lamp, a shop window and a pair of tail-lights."""

_MIRROR_GAIN = 16.0


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


def lights_in_sight(stage: Stage) -> list[Light]:
    """The lights near enough to matter, own headlights first."""
    camera = stage.camera
    forward = camera.axes[2]
    level = (float(forward[0]), 0.0, float(forward[2]))
    lights = [Light(WHITE, (0.0, -0.85, 0.0), level, 2.0 * BEAM_POWER, 70.0)]
    down = (0.0, -1.0, 0.0)
    for kind, points, power, reach in (
        (LAMP, stage.lamps, LAMP_POWER, 24.0), (SHOP, stage.shop_lights, SHOP_POWER, 9.0),
    ):  # fmt: skip
        for point in _near(camera, points, -0.5 * reach, 130.0 if kind == LAMP else 48.0):
            lights.append(Light(kind, point, down, power, reach))
    for vehicle in stage.cars:
        front, rear = _relative(camera, vehicle.front), _relative(camera, vehicle.rear)
        if -4.0 < front[2] < 110.0:
            lights.append(Light(WHITE, front, vehicle.forward, BEAM_POWER * 1.2, 24.0))
        if 0.0 < rear[2] < 80.0:
            lights.append(Light(RED, rear, vehicle.forward, TAIL_POWER, 9.0))
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
    if not count:
        return received, mirrored
    low = [float(component.min()) for component in gbuffer.position]
    high = [float(component.max()) for component in gbuffer.position]
    for light in lights:
        gaps = [max(a - p, p - b, 0.0) for a, b, p in zip(low, high, light.position, strict=True)]
        if gaps[0] ** 2 + gaps[1] ** 2 + gaps[2] ** 2 < light.reach**2:
            _add_light(gbuffer, light, gloss, received[light.kind], mirrored[light.kind])
    return received, mirrored


def _add_light(gbuffer: GBuffer, light: Light, gloss: Floats, received: Floats, mirrored: Floats) -> None:
    to_light = tuple(np.float32(p) - x for p, x in zip(light.position, gbuffer.position, strict=True))
    squared = _dot(to_light, to_light) + np.float32(0.05)
    reach = np.float32(light.reach * light.reach)
    near = np.flatnonzero(squared < reach)
    if not len(near):
        return
    normal, view, cosine, gloss_here = gbuffer.normal, gbuffer.view, gbuffer.cosine, gloss
    everywhere = len(near) > 0.6 * len(squared)
    if not everywhere:
        squared = squared[near]
        to_light, normal, view = (tuple(k[near] for k in vector) for vector in (to_light, normal, view))
        cosine, gloss_here = cosine[near], gloss[near]
    inverse = ONE / np.sqrt(squared)
    facing = np.maximum(_dot(normal, to_light), np.float32(0.0)) * inverse
    window = np.maximum(ONE - squared / reach, np.float32(0.0)) * inverse
    intensity = np.float32(light.power) * window * window * _profile(light, to_light, inverse)
    light_here = intensity * facing
    # the mirror image shows only where the view is reflected towards the light
    reflected = _dot(view, to_light) * inverse + np.float32(2.0) * cosine * facing
    shiny = np.flatnonzero((reflected > np.float32(0.72)) & (light_here * gloss_here > np.float32(2e-4)))
    if everywhere:
        received += light_here
    else:
        received[near] += light_here
    if not len(shiny):
        return
    half = tuple(t[shiny] * inverse[shiny] - v[shiny] for t, v in zip(to_light, view, strict=True))
    along = _dot(half, tuple(k[shiny] for k in normal))
    lobe = along * along / _dot(half, half)
    for _ in range(5):
        lobe = lobe * lobe
    grazing = ONE - cosine[shiny]
    fresnel = np.float32(0.05) + np.float32(0.95) * grazing * grazing * grazing * grazing * grazing
    at = shiny if everywhere else near[shiny]
    mirrored[at] += intensity[shiny] * lobe * fresnel * gloss_here[shiny] * np.float32(_MIRROR_GAIN)


def _dot(first: tuple[Floats, ...], second: tuple[Floats, ...]) -> Floats:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def _profile(light: Light, to_light: tuple[Floats, ...], inverse: Floats) -> Floats | np.float32:
    """Share of the light's power sent away from it against `to_light`."""
    dx, dy, dz = to_light
    if light.kind == LAMP:  # downwards, evenly over the road
        below = np.clip(dy * inverse * np.float32(1.6) - np.float32(0.19), 0.0, 1.0)
        return below * below
    if light.kind == WHITE:  # low beam: wide, cut off a little below the horizontal
        fx, _, fz = (np.float32(value) for value in light.forward)
        along = -(dx * fx + dz * fz)
        per_metre = ONE / np.maximum(along, np.float32(0.05))
        aside = (dz * fx - dx * fz) * per_metre
        drop = dy * per_metre
        spread = aside * aside * np.float32(1.0 / (0.33 * 0.33))
        cut = np.clip((drop + np.float32(0.02)) * np.float32(22.0), 0.035, 1.0)
        steep = drop * np.float32(1.0 / 0.30)
        return cut / ((ONE + spread * spread) * (ONE + steep * steep)) * (along > 0)
    return ONE
