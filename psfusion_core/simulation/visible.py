"""Radiance that the visible camera receives from each sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.canvas import GLOSS, GLOW, PAINT
from psfusion_core.simulation.gbuffer import GBuffer
from psfusion_core.simulation.ground_masks import GroundMasks
from psfusion_core.simulation.lights import Light, lamp_light

Floats = npt.NDArray[np.float32]
ONE = np.float32(1.0)

MAX_RADIANCE = 30.0


def sunlight(gbuffer: GBuffer, sky: Atmosphere, masks: GroundMasks) -> Floats:
    """(M,) share of the sun each sample receives: its slope towards it, less shadows."""
    sx, sy, sz = (np.float32(value) for value in sky.sun_direction)
    nx, ny, nz = gbuffer.normal
    facing = np.maximum(nx * sx + ny * sy + nz * sz, np.float32(0.0))
    shade = masks.shadow.reshape(-1).take(gbuffer.pixel) * np.float32(1.0 / 255.0)
    return facing * gbuffer.of_face("sunlit") * (ONE - shade * gbuffer.of_face("ground"))


def visible_radiance(
    gbuffer: GBuffer, eye_height: float, masks: GroundMasks, sky: Atmosphere, lights: list[Light]
) -> list[Floats]:
    """Red, green and blue (M,) radiances that the surfaces send to the camera.

    Args:
        gbuffer: the samples.
        eye_height: of the camera above the road, in metres.
        masks: shadows on the ground.
        sky: time of day.
        lights: lamps in sight; none by day.
    """
    emission = gbuffer.of_face("emission")
    glow = gbuffer.channel(GLOW) * (emission > 0)
    bare = ONE - gbuffer.channel(PAINT)
    paint = ONE - bare * bare * bare  # where a bright detail fades into paint, paint wins: no pale rims
    color = gbuffer.of_face("color")
    gloss = gbuffer.channel(GLOSS) * gbuffer.of_face("gloss")
    ground = gbuffer.of_face("ground")
    contact = masks.contact.reshape(-1).take(gbuffer.pixel) * np.float32(0.8 / 255.0) * ground
    upward = gbuffer.normal[1]
    low = np.clip(gbuffer.position[1] + np.float32(eye_height), 0.0, 1.2) * np.float32(0.25 / 1.2)
    openness = np.float32(0.62) + np.float32(0.38) * upward
    ambient = openness * (np.float32(0.75) + low + np.float32(0.25) * ground) * (ONE - contact)
    sun = bounce = None
    if sky.lamps == 0.0:
        sun = sunlight(gbuffer, sky, masks)
        bounce = np.float32(0.16) * (np.float32(0.6) - np.float32(0.4) * upward) * (ONE - contact)
    mirror, mirror_share = _mirrored_sky(gbuffer, gloss, sky)
    received, mirrored = lamp_light(gbuffer, lights, gloss) if lights else (None, None)
    fade = gbuffer.distance / (gbuffer.distance + np.float32(sky.haze_distance))
    fade = fade * fade
    result = []
    for channel in range(3):
        code = gbuffer.channel(channel)
        albedo = code * code * (ONE + paint * (color[:, channel] - ONE))
        light = ambient * np.float32(sky.ambient[channel])
        if sun is not None and bounce is not None:
            light += (sun + bounce) * np.float32(sky.sun[channel])
        if received is not None:
            light += received[channel]
        value = albedo * (light + (emission - light) * glow)
        value += (mirror[channel] - value) * mirror_share
        if mirrored is not None:
            value += mirrored[channel]
        value += (np.float32(sky.haze[channel]) - value) * fade
        result.append(np.minimum(value, np.float32(MAX_RADIANCE)))
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
