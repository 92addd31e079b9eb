"""From radiance to the visible camera's 8-bit picture: glare, shot noise and the tone curve."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import Atmosphere
from psfusion_core.simulation.noise import gaussian_tile

Floats = npt.NDArray[np.float32]

NOISE_SIZE = 512
_ROOT_STEPS = 700.0
"""Steps of the tone table per unit of the square root of radiance."""
_TABLE_SIZE = 4096
_GLARE_STEPS = 1000.0
_GLARE = ((1.6, 0.10), (6.0, 0.055), (20.0, 0.035))
"""Standard deviation in quarter pixels of a 640-pixel image, and share of the light, of each glare lobe."""


@lru_cache(maxsize=1)
def noise_tile() -> Floats:
    """(NOISE_SIZE, NOISE_SIZE) white noise of standard deviation 1, shared by both sensors."""
    return gaussian_tile(np.random.default_rng(91), NOISE_SIZE)


def noise_image(rng: np.random.Generator, height: int, width: int) -> Floats:
    """(H, W) white noise: the tile at a random offset."""
    rows = (np.arange(height) + int(rng.integers(NOISE_SIZE))) % NOISE_SIZE
    columns = (np.arange(width) + int(rng.integers(NOISE_SIZE))) % NOISE_SIZE
    return noise_tile()[rows[:, None], columns[None, :]]


@lru_cache(maxsize=1)
def _tone_table() -> npt.NDArray[np.uint8]:
    """8-bit value by square root of radiance: soft shoulder up to white at 6, then display gamma."""
    radiance = (np.arange(_TABLE_SIZE) / _ROOT_STEPS) ** 2
    white = 5.5
    squeezed = radiance * (1.0 + radiance / (white * white)) / (1.0 + radiance)
    toe = squeezed * (squeezed + 0.004) / (squeezed + 0.006)
    return np.rint(255.0 * np.clip(toe * 1.12, 0.0, 1.0) ** (1.0 / 2.2)).astype(np.uint8)


def add_glare(channels: list[Floats], threshold: float) -> list[Floats]:
    """Spread light brighter than `threshold` around itself, as lenses do (integer filters: exact)."""
    height, width = channels[0].shape
    small_h, small_w = -(-height // 4), -(-width // 4)
    small = np.zeros((small_h, small_w, 3), np.uint16)
    for k, channel in enumerate(channels):
        bright = np.clip((channel - np.float32(threshold)) * np.float32(_GLARE_STEPS), 0, 32000)
        padded = np.zeros((small_h * 4, small_w * 4), np.int32)
        padded[:height, :width] = bright.astype(np.int32)
        blocks = padded.reshape(small_h, 4, small_w, 4).sum(axis=(1, 3), dtype=np.int32)
        small[..., k] = blocks // 16
    if not small.any():
        return channels
    total = np.zeros((small_h, small_w, 3), np.float32)
    for sigma, share in _GLARE:
        spread = cv2.GaussianBlur(small, (0, 0), max(sigma * width / 640.0, 0.5))
        total += spread * np.float32(share)
    fine = cv2.resize(
        np.minimum(total, 65535.0).astype(np.uint16), (small_w * 4, small_h * 4),
        interpolation=cv2.INTER_LINEAR_EXACT,
    )[:height, :width]  # fmt: skip
    return [channel + fine[..., k] * np.float32(1.0 / _GLARE_STEPS) for k, channel in enumerate(channels)]


def expose(channels: list[Floats], sky: Atmosphere, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Develop (H, W) radiances into an (H, W, 3) uint8 RGB picture."""
    height, width = channels[0].shape
    lit = add_glare([channel * np.float32(sky.exposure) for channel in channels], 0.9)
    grey = noise_image(rng, height, width) * np.float32(sky.noise * _ROOT_STEPS * 0.8)
    picture = np.empty((height, width, 3), np.uint8)
    table = _tone_table()
    for k, channel in enumerate(lit):
        grain = grey + noise_image(rng, height, width) * np.float32(sky.noise * _ROOT_STEPS * 0.6)
        root = np.sqrt(np.maximum(channel, np.float32(0.0))) * np.float32(_ROOT_STEPS) + grain
        picture[..., k] = table.take(np.clip(root, 0, _TABLE_SIZE - 1).astype(np.int32))
    return picture
