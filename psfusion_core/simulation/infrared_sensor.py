"""The infrared camera: noise, 16-bit radiometric counts, and 8-bit output with automatic gain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.exposure import noise_image, noise_tile

Floats = npt.NDArray[np.float32]

KELVIN_PER_COUNT = 0.04
"""Scale of the 16-bit output: counts times this is the apparent temperature in kelvin."""
ZERO_CELSIUS = 273.15
_TEMPORAL_NOISE = 0.07
_PIXEL_NOISE = 0.05
_COLUMN_NOISE = 0.04
_PLATEAU = 0.0035
_EQUALISED = 0.30
_BELOW = round(9.0 / KELVIN_PER_COUNT)
"""Counts from the typical level down to black, at most."""
_ABOVE = (round(15.0 / KELVIN_PER_COUNT), round(20.0 / KELVIN_PER_COUNT))
"""Counts from the typical level up to white, at least and at most: a hot exhaust must not darken the rest."""


def radiometric_counts(temperature: Floats, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """(H, W) uint16 counts of KELVIN_PER_COUNT, with fixed-pattern and temporal noise.

    Args:
        temperature: (H, W) apparent degrees Celsius.
        rng: source of the temporal noise; the fixed pattern is always the same.
    """
    height, width = temperature.shape
    fixed = np.random.default_rng(5)
    columns = noise_tile()[0, np.arange(width) % noise_tile().shape[1]] * np.float32(_COLUMN_NOISE)
    pattern = noise_image(fixed, height, width) * np.float32(_PIXEL_NOISE) + columns
    noisy = temperature + pattern + noise_image(rng, height, width) * np.float32(_TEMPORAL_NOISE)
    counts = (noisy + np.float32(ZERO_CELSIUS)) * np.float32(1.0 / KELVIN_PER_COUNT)
    return np.clip(counts + np.float32(0.5), 0, 65535).astype(np.uint16)


def automatic_gain(counts: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """(H, W) uint8 picture: mostly a stretch round the typical level, partly plateau equalisation.

    As in thermal cameras, the sky far below the scene's temperature gets no grey levels, the warmest things
    stay white, and large uniform areas do not use up the other grey levels. The typical level is the median
    of the lower half, where no sky makes it jump.
    """
    histogram = np.bincount(counts.reshape(-1))
    total = int(counts.size)
    cumulative = np.cumsum(histogram)
    typical = int(np.median(counts[counts.shape[0] // 2 :]))
    low = max(int(np.searchsorted(cumulative, total * 0.01)), typical - _BELOW)
    high = typical + int(np.clip(int(np.searchsorted(cumulative, total * 0.9996)) - typical, *_ABOVE))
    levels = np.arange(len(histogram))
    stretched = np.clip((levels - low) / (high - low), 0.0, 1.0)
    clipped = np.minimum(histogram, max(int(total * _PLATEAU), 1))
    clipped[:low] = 0
    share = np.cumsum(clipped)
    equalised = share / max(int(share[-1]), 1)
    table = 255.0 * (_EQUALISED * equalised + (1.0 - _EQUALISED) * stretched)
    return np.rint(table).astype(np.uint8).take(counts)
