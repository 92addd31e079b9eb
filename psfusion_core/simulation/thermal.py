"""Surface temperatures seen by the infrared camera."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.canvas import HEAT, NO_HEAT
from psfusion_core.simulation.gbuffer import GBuffer, Samples
from psfusion_core.simulation.ground_masks import GroundMasks
from psfusion_core.simulation.sky import sky_temperature
from psfusion_core.simulation.stage import Stage
from psfusion_core.simulation.visible import ONE, sunlight

Floats = npt.NDArray[np.float32]

COLDEST = -100.0
_STEPS = 200.0
"""Steps per degree while blurring in integers."""
_GROUND_WARMTH = 6.0


def apparent_temperature(
    stage: Stage, samples: Samples, gbuffer: GBuffer, masks: GroundMasks, sky: Atmosphere, seconds: float
) -> Floats:
    """(H, W) degrees Celsius as the optics see them, before the sensor's noise.

    A surface has its own temperature, its texture's offset and what the sun adds. Smooth and slanting
    surfaces mirror part of the cold sky; air between warms or cools the view towards its own temperature.
    """
    pixel = samples.pixel[gbuffer.index]
    heat = (gbuffer.texels[:, HEAT].astype(np.float32) - np.float32(NO_HEAT)) * np.float32(1.0 / 127.0)
    temperature = gbuffer.of_face("temperature") + heat * gbuffer.of_face("heat_scale")
    ground = gbuffer.of_face("ground")
    if sky.solar_heating > 0.0:
        color = gbuffer.of_face("color")
        dark = ONE - np.float32(0.6) * color[:, 1]
        heated = np.float32(sky.solar_heating) * sunlight(gbuffer, sky, masks, pixel) * dark
        temperature += heated * (gbuffer.of_face("label") != np.float32(2))
    warmth = masks.warmth.reshape(-1).take(pixel) * np.float32(_GROUND_WARMTH / 255.0)
    temperature += warmth * ground
    grazing = ONE - gbuffer.cosine
    grazing = grazing * grazing * grazing
    up = np.maximum(gbuffer.view[1] + np.float32(2.0) * gbuffer.cosine * gbuffer.normal[1], np.float32(0.0))
    mirrored = np.float32(sky.sky_horizon) + np.float32(sky.sky_zenith - sky.sky_horizon) * up
    mirrored = np.where(ground, np.float32(sky.sky_horizon), mirrored)
    share = np.float32(0.03) + np.float32(0.16) * grazing + np.float32(0.10) * gbuffer.of_face("gloss") * (ONE - ground)
    temperature += (mirrored - temperature) * share
    between = gbuffer.distance / (gbuffer.distance + np.float32(1400.0))
    temperature += (np.float32(sky.air) - temperature) * between

    everything = np.empty(len(samples.face), np.float32)
    everything[gbuffer.index] = temperature
    open_sky = np.flatnonzero(samples.face == 0)
    x, y, z = stage.camera.rays(samples.x[open_sky], samples.y[open_sky])
    length = np.sqrt(x * x + y * y + z * z)
    everything[open_sky] = sky_temperature((x / length, y / length, z / length), sky, seconds)
    return _optics(samples.resolve(everything))


def _optics(temperature: Floats) -> Floats:
    """Blur of the infrared lens, in integers so that it is exact."""
    steps = np.clip((temperature - np.float32(COLDEST)) * np.float32(_STEPS), 0, 65535).astype(np.uint16)
    sigma = max(0.85 * temperature.shape[1] / 640.0, 0.45)
    blurred = cv2.GaussianBlur(steps, (0, 0), sigma)
    return blurred * np.float32(1.0 / _STEPS) + np.float32(COLDEST)
