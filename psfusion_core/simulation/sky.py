"""The sky: colour and apparent temperature by direction, with clouds and a far skyline."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.gbuffer import Samples
from psfusion_core.simulation.noise import fractal_noise
from psfusion_core.simulation.simulated_camera import Camera

Floats = npt.NDArray[np.float32]
Vectors = tuple[Floats, Floats, Floats]

_CLOUD_SIZE = 512
_SKYLINE_BINS = 1024


@lru_cache(maxsize=1)
def _clouds() -> Floats:
    """Tile of cloud density in [0, 1]."""
    rng = np.random.default_rng(77)
    return fractal_noise(rng, _CLOUD_SIZE, 5, 7).astype(np.float32)


@lru_cache(maxsize=1)
def _skyline() -> tuple[Floats, Floats]:
    """Tangent of the elevation of far blocks by direction, and whether each has lit windows."""
    rng = np.random.default_rng(78)
    height = np.zeros(_SKYLINE_BINS, np.float32)
    for _ in range(150):
        start, width = int(rng.integers(_SKYLINE_BINS)), int(rng.integers(6, 26))
        top = 0.012 + 0.075 * float(rng.random()) ** 2
        span = slice(start, start + width)
        height[span] = np.maximum(height[span], np.float32(top))
    return height, rng.random((64, _SKYLINE_BINS), dtype=np.float32)


def _cloud_density(view: Vectors, cover: float, drift: float) -> Floats:
    """(N,) share of cloud in each direction; they drift with time, clear overhead to thick."""
    x, y, z = view
    flat = np.float32(_CLOUD_SIZE * 0.16) / (np.maximum(y, np.float32(0.0)) + np.float32(0.16))
    column = (x * flat + np.float32(drift % _CLOUD_SIZE)).astype(np.int32) % _CLOUD_SIZE
    row = (z * flat * np.float32(0.7)).astype(np.int32) % _CLOUD_SIZE
    density = _clouds().reshape(-1).take(row * _CLOUD_SIZE + column)
    threshold = np.float32(0.72 - 0.45 * cover)
    amount = np.clip((density - threshold) * np.float32(3.6), 0.0, 1.0)
    return amount * amount * (np.float32(3.0) - np.float32(2.0) * amount)


def _behind_skyline(view: Vectors) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which directions hit the far blocks, and how brightly a window shines there."""
    height, windows = _skyline()
    x, y, z = view
    ahead = np.maximum(z, np.float32(0.05))
    across = np.clip((x / ahead + np.float32(1.6)) * np.float32(_SKYLINE_BINS / 3.2), 0, _SKYLINE_BINS - 1)
    bins = across.astype(np.int32)
    tangent = y / ahead
    level = np.clip(tangent * np.float32(520.0), 0, 63).astype(np.int32)
    hit = tangent < height.take(bins)
    lit = windows.reshape(-1).take(level * _SKYLINE_BINS + bins // 2 * 2)
    return hit, np.where(lit > np.float32(0.86), lit, np.float32(0.0))


def sky_values(
    camera: Camera, samples: Samples, subset: npt.NDArray[np.int64], sky: Atmosphere, seconds: float
) -> npt.NDArray[np.float32]:
    """(4, K) red, green, blue radiance and apparent temperature (degrees Celsius) of sky samples.

    Clear sky is coldest overhead; clouds are warmer.
    """
    x, y, z = camera.rays(samples.x[subset], samples.y[subset])
    length = np.sqrt(x * x + y * y + z * z)
    view = (x / length, y / length, z / length)
    up = np.clip(view[1], 0.0, 1.0)
    rest = np.float32(1.0) - up
    clouds = _cloud_density(view, sky.cloud_cover, 0.9 * seconds)
    hit, window = _behind_skyline(view)
    dark = np.float32(0.6 if sky.lamps == 0.0 else 0.28)
    result = np.empty((4, len(subset)), np.float32)
    for channel in range(3):
        horizon, zenith = np.float32(sky.horizon[channel]), np.float32(sky.zenith[channel])
        clear = zenith + (horizon - zenith) * rest * rest * rest
        value = clear + (np.float32(sky.cloud[channel]) - clear) * clouds * np.float32(0.85)
        block = np.float32(sky.haze[channel]) * dark
        glow = window * np.float32((0.30, 0.24, 0.14)[channel] * (sky.lamps > 0.0))
        result[channel] = np.where(hit, block + glow, value)
    clear = np.float32(sky.sky_zenith) + np.float32(sky.sky_horizon - sky.sky_zenith) * rest * rest
    result[3] = np.where(hit, np.float32(sky.air - 1.0) + window, clear + clouds * np.float32(5.0))
    return result
