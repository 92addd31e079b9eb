"""Surface temperatures seen by the infrared camera."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.canvas import HEAT, NO_HEAT
from psfusion_core.simulation.gbuffer import GBuffer
from psfusion_core.simulation.ground_masks import GroundMasks
from psfusion_core.simulation.people import PERSON
from psfusion_core.simulation.visible import ONE, sunlight

Floats = npt.NDArray[np.float32]

COLDEST = -100.0
_STEPS = 200.0
"""Steps per degree while blurring in integers."""
_GROUND_WARMTH = 6.0


def apparent_temperature(gbuffer: GBuffer, masks: GroundMasks, sky: Atmosphere) -> Floats:
    """(M,) degrees Celsius that the surfaces seem to have.

    A surface has its own temperature, its texture's offset and what the sun adds. Smooth and slanting
    surfaces mirror part of the cold sky; air between warms or cools the view towards its own temperature.
    """
    heat = (gbuffer.texels[HEAT].astype(np.float32) - np.float32(NO_HEAT)) * np.float32(1.0 / 127.0)
    temperature = gbuffer.of_face("temperature") + heat * gbuffer.of_face("heat_scale")
    ground = gbuffer.of_face("ground")
    if sky.solar_heating > 0.0:
        dark = ONE - np.float32(0.6) * gbuffer.of_face("color")[:, 1]
        inert = gbuffer.of_face("label") != PERSON
        temperature += np.float32(sky.solar_heating) * sunlight(gbuffer, sky, masks) * dark * inert
    warmth = masks.warmth.reshape(-1).take(gbuffer.pixel) * np.float32(_GROUND_WARMTH / 255.0)
    temperature += warmth * ground
    grazing = ONE - gbuffer.cosine
    grazing = grazing * grazing * grazing
    up = np.maximum(gbuffer.view[1] + np.float32(2.0) * gbuffer.cosine * gbuffer.normal[1], np.float32(0.0))
    mirrored = np.float32(sky.sky_horizon) + np.float32(sky.sky_zenith - sky.sky_horizon) * up * ~ground
    smooth = gbuffer.of_face("gloss") * ~ground
    share = np.float32(0.03) + np.float32(0.16) * grazing + np.float32(0.10) * smooth
    temperature += (mirrored - temperature) * share
    between = gbuffer.distance / (gbuffer.distance + np.float32(1400.0))
    return temperature + (np.float32(sky.air) - temperature) * between


def infrared_optics(temperature: Floats) -> Floats:
    """Blur (H, W) degrees Celsius as the infrared lens does, in integers so that it is exact."""
    steps = np.clip((temperature - np.float32(COLDEST)) * np.float32(_STEPS), 0, 65535).astype(np.uint16)
    sigma = max(0.85 * temperature.shape[1] / 640.0, 0.45)
    blurred = cv2.GaussianBlur(steps, (0, 0), sigma)
    return blurred * np.float32(1.0 / _STEPS) + np.float32(COLDEST)
