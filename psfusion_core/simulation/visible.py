"""Radiance that the visible camera receives from each sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.camera import Camera
from psfusion_core.simulation.canvas import GLOSS, GLOW, PAINT
from psfusion_core.simulation.gbuffer import GBuffer, Samples
from psfusion_core.simulation.ground_masks import GroundMasks
from psfusion_core.simulation.lights import COLORS, irradiance, lights_in_sight
from psfusion_core.simulation.sky import sky_radiance
from psfusion_core.simulation.stage import Stage

Floats = npt.NDArray[np.float32]
ONE = np.float32(1.0)

OWN_BEAM = 34.0
LAMP_POWER = 74.0
MAX_RADIANCE = 30.0


def sunlight(gbuffer: GBuffer, sky: Atmosphere, masks: GroundMasks, pixel: npt.NDArray[np.int32]) -> Floats:
    """(M,) share of the sun each sample receives: its slope towards it, less shadows."""
    sx, sy, sz = (np.float32(value) for value in sky.sun_direction)
    nx, ny, nz = gbuffer.normal
    facing = np.maximum(nx * sx + ny * sy + nz * sz, np.float32(0.0))
    shade = masks.shadow.reshape(-1).take(pixel) * np.float32(1.0 / 255.0)
    ground = gbuffer.of_face("ground")
    return facing * gbuffer.of_face("sunlit") * (ONE - shade * ground)


def visible_radiance(
    stage: Stage, samples: Samples, gbuffer: GBuffer, masks: GroundMasks, sky: Atmosphere, seconds: float
) -> list[Floats]:
    """Red, green and blue (N,) radiances of all samples, sky included."""
    surface_light = _surface_radiance(stage, samples, gbuffer, masks, sky)
    open_sky = np.flatnonzero(samples.face == 0)
    background = sky_radiance(_directions(stage.camera, samples, open_sky), sky, seconds)
    result = []
    for channel in range(3):
        image = np.empty(len(samples.face), np.float32)
        image[gbuffer.index] = surface_light[channel]
        image[open_sky] = background[channel]
        result.append(np.minimum(image, np.float32(MAX_RADIANCE)))
    return result


def _directions(camera: Camera, samples: Samples, subset: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    x, y, z = camera.rays(samples.x[subset], samples.y[subset])
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def _surface_radiance(
    stage: Stage, samples: Samples, gbuffer: GBuffer, masks: GroundMasks, sky: Atmosphere
) -> list[Floats]:
    pixel = samples.pixel[gbuffer.index]
    night = sky.lamps > 0.0
    glow = gbuffer.channel(GLOW)
    emission = gbuffer.of_face("emission")
    glow = glow * (emission > 0)
    paint = gbuffer.channel(PAINT)
    color = gbuffer.of_face("color")
    gloss = gbuffer.channel(GLOSS) * gbuffer.of_face("gloss")
    ground = gbuffer.of_face("ground")
    contact = masks.contact.reshape(-1).take(pixel) * np.float32(0.8 / 255.0) * ground
    openness = np.float32(0.62) + np.float32(0.38) * gbuffer.normal[1]
    low = np.clip(gbuffer.position[1] + np.float32(stage.camera.position[1]), 0.0, 1.2) * np.float32(0.25 / 1.2)
    ambient = openness * (np.float32(0.75) + low + np.float32(0.25) * ground) * (ONE - contact)
    sun = None if night else sunlight(gbuffer, sky, masks, pixel)
    mirror, mirror_share = _mirrored_sky(gbuffer, gloss, sky)
    if night:
        lights = lights_in_sight(stage, OWN_BEAM, LAMP_POWER)
        received, mirrored = irradiance(gbuffer, lights, gloss)
    else:
        received, mirrored = [], []
    fade = gbuffer.distance / (gbuffer.distance + np.float32(sky.haze_distance))
    fade = fade * fade
    result = []
    for channel in range(3):
        code = gbuffer.channel(channel)
        albedo = code * code * (ONE + paint * (color[:, channel] - ONE))
        light = ambient * np.float32(sky.ambient[channel])
        if sun is not None:
            light = light + sun * np.float32(sky.sun[channel])
            bounce = np.float32(0.16 * sky.sun[channel]) * (np.float32(0.6) - np.float32(0.4) * gbuffer.normal[1])
            light = light + bounce * (ONE - contact)
        for kind, amount in enumerate(received):
            light = light + amount * np.float32(COLORS[kind][channel])
        value = albedo * light * (ONE - glow) + albedo * glow * emission
        value = value + (mirror[channel] - value) * mirror_share
        for kind, amount in enumerate(mirrored):
            value = value + amount * np.float32(COLORS[kind][channel])
        result.append(value + (np.float32(sky.haze[channel]) - value) * fade)
    return result


def _mirrored_sky(gbuffer: GBuffer, gloss: Floats, sky: Atmosphere) -> tuple[list[Floats], Floats]:
    """What glossy surfaces mirror (a street between houses under the sky), and how strongly."""
    turn = np.float32(2.0) * gbuffer.cosine
    up = gbuffer.view[1] + turn * gbuffer.normal[1]
    above = np.clip((up - np.float32(0.10)) * np.float32(3.5), 0.0, 1.0)
    high = np.clip(up, 0.0, 1.0)
    below = np.clip(-up * np.float32(6.0), 0.0, 1.0)
    mirror = []
    for channel in range(3):
        horizon, zenith = np.float32(sky.horizon[channel]), np.float32(sky.zenith[channel])
        street = np.float32(0.32) * horizon
        seen = street + (horizon + (zenith - horizon) * high - street) * above
        mirror.append(seen + (np.float32(0.18) * horizon - seen) * below)
    grazing = ONE - gbuffer.cosine
    grazing = grazing * grazing * grazing * grazing * grazing
    rough = gbuffer.of_face("ground")
    share = gloss * (np.float32(0.06) + np.float32(0.80) * grazing) * (ONE - np.float32(0.75) * rough)
    return mirror, np.minimum(share, np.float32(0.9))
