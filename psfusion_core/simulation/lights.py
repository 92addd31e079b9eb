"""Lamps at night: how much light reaches each sample, and how brightly wet ground mirrors it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.gbuffer import GBuffer
from psfusion_core.simulation.stage import Stage

Floats = npt.NDArray[np.float32]
ONE = np.float32(1.0)

LAMP, WHITE, RED, SHOP = range(4)
COLORS = ((1.0, 0.76, 0.46), (0.94, 0.97, 1.0), (1.0, 0.08, 0.05), (1.0, 0.84, 0.60))
"""Linear colour of each kind of light."""

BEAM_POWER, LAMP_POWER, SHOP_POWER, TAIL_POWER = 34.0, 82.0, 4.0, 0.9
"""Irradiance at 1 m over pi, of a headlight, a street lamp, a shop window and a pair of tail-lights."""

_MIRROR_GAIN = 16.0
_DOWN = (0.0, -1.0, 0.0)


@dataclass(frozen=True)
class Light:
    """One light.

    Attributes:
        kind: LAMP, WHITE (headlight), RED (tail-light) or SHOP.
        position: relative to the camera, world axes.
        forward: the light shines only to this side; (0, 0, 0) shines everywhere.
        power: irradiance at 1 m.
        reach: distance beyond which it is left out.
    """

    kind: int
    position: tuple[float, float, float]
    forward: tuple[float, float, float]
    power: float
    reach: float


def lights_in_sight(stage: Stage) -> list[Light]:
    """The lights near enough to matter, own headlights first; they fade in at the far end of their range."""
    camera = stage.camera
    forward = camera.axes[2]
    level = (float(forward[0]), 0.0, float(forward[2]))
    lights = [Light(WHITE, (0.0, -0.85, 0.0), level, 2.0 * BEAM_POWER, 50.0)]
    sources: list[tuple[int, npt.NDArray[np.float64], tuple[float, float, float], float, float, float]] = []
    sources += [(LAMP, point, _DOWN, LAMP_POWER, 20.0, 80.0) for point in stage.lamps]
    sources += [(SHOP, point, (0.0, 0.0, 0.0), SHOP_POWER, 9.0, 38.0) for point in stage.shop_lights]
    for vehicle in stage.cars:
        sources.append((WHITE, np.array(vehicle.front), vehicle.forward, BEAM_POWER * 1.2, 20.0, 55.0))
        backward = (-vehicle.forward[0], 0.0, -vehicle.forward[2])
        sources.append((RED, np.array(vehicle.rear), backward, TAIL_POWER, 7.0, 45.0))
    for kind, point, direction, power, reach, far in sources:
        x, y, z = (point - camera.origin).tolist()
        share = min((far - z) / 20.0, 1.0)
        if z > -0.5 * reach and share > 0.0:
            lights.append(Light(kind, (x, y, z), direction, power * share, reach))
    return lights


def lamp_light(gbuffer: GBuffer, lights: list[Light], gloss: Floats) -> tuple[list[Floats], list[Floats]]:
    """Light received from lamps and light mirrored towards the camera.

    It changes slowly, so it is computed for every second sample along a row of the same flat face.

    Args:
        gbuffer: The samples.
        lights: The lights that shine on them.
        gloss: (M,) mirror-like share of the surface.

    Returns:
        Red, green and blue (M,) irradiance over pi, and (M,) mirrored radiance.
    """
    thin, kept, stands_for = gbuffer.thinned()
    gloss = gloss[kept]
    received = [np.zeros(len(kept), np.float32) for _ in COLORS]
    mirrored = [np.zeros(len(kept), np.float32) for _ in COLORS]
    if len(kept):
        low = [float(component.min()) for component in thin.position]
        high = [float(component.max()) for component in thin.position]
        for light in lights:
            gaps = [max(a - p, p - b, 0.0) for a, b, p in zip(low, high, light.position, strict=True)]
            if gaps[0] ** 2 + gaps[1] ** 2 + gaps[2] ** 2 < light.reach**2:
                _add_light(thin, light, gloss, received[light.kind], mirrored[light.kind])

    def colored(amounts: list[Floats]) -> list[Floats]:
        rgb = []
        for channel in range(3):
            total = np.zeros(len(kept), np.float32)
            for amount, color in zip(amounts, COLORS, strict=True):
                total += amount * np.float32(color[channel])
            rgb.append(total.take(stands_for))
        return rgb

    return colored(received), colored(mirrored)


def _add_light(gbuffer: GBuffer, light: Light, gloss: Floats, received: Floats, mirrored: Floats) -> None:
    to_light = tuple(np.float32(p) - x for p, x in zip(light.position, gbuffer.position, strict=True))
    squared = _dot(to_light, to_light) + np.float32(0.05)
    facing = _dot(gbuffer.normal, to_light)
    reach = np.float32(light.reach * light.reach)
    lit = (squared < reach) & (facing > 0)
    if any(light.forward):
        axis = tuple(np.float32(value) for value in light.forward)
        lit &= _dot(to_light, axis) < 0
    near = np.flatnonzero(lit)
    if not len(near):
        return
    to_light = tuple(component[near] for component in to_light)
    squared, cosine, gloss = squared[near], gbuffer.cosine[near], gloss[near]
    inverse = ONE / np.sqrt(squared)
    facing = facing[near] * inverse
    window = (ONE - squared / reach) * inverse
    intensity = np.float32(light.power) * window * window * _profile(light, to_light, inverse)
    light_here = intensity * facing
    received[near] += light_here
    # the mirror image shows only where the view is reflected towards the light
    view = tuple(component[near] for component in gbuffer.view)
    reflected = _dot(view, to_light) * inverse + np.float32(2.0) * cosine * facing
    shiny = np.flatnonzero((reflected > np.float32(0.72)) & (light_here * gloss > np.float32(2e-4)))
    if not len(shiny):
        return
    at = near[shiny]
    half = tuple(t[shiny] * inverse[shiny] - v[shiny] for t, v in zip(to_light, view, strict=True))
    along = _dot(half, tuple(component[at] for component in gbuffer.normal))
    lobe = along * along / _dot(half, half)
    for _ in range(5):
        lobe = lobe * lobe
    grazing = ONE - cosine[shiny]
    fresnel = np.float32(0.05) + np.float32(0.95) * grazing * grazing * grazing * grazing * grazing
    mirrored[at] += intensity[shiny] * lobe * fresnel * gloss[shiny] * np.float32(_MIRROR_GAIN)


def _dot(first: tuple[Floats, ...], second: tuple[Floats | np.float32, ...]) -> Floats:
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
        return cut / ((ONE + spread * spread) * (ONE + steep * steep))
    return ONE
