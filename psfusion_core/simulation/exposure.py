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
_GLARE_THRESHOLD = 0.9


@lru_cache(maxsize=1)
def noise_tile() -> Floats:
    """(NOISE_SIZE, NOISE_SIZE) white noise of standard deviation 1, shared by both sensors."""
    return gaussian_tile(np.random.default_rng(91), NOISE_SIZE)


@lru_cache(maxsize=4)
def _wide_tile(height: int, width: int) -> Floats:
    """The tile repeated until every (H, W) window of it can be cut out."""
    repeats = (-(-height // NOISE_SIZE) + 1, -(-width // NOISE_SIZE) + 1)
    return np.tile(noise_tile(), repeats)


def noise_image(rng: np.random.Generator, height: int, width: int) -> Floats:
    """(H, W) white noise: a window of the repeated tile at a random offset; read only."""
    row, column = int(rng.integers(NOISE_SIZE)), int(rng.integers(NOISE_SIZE))
    return _wide_tile(height, width)[row : row + height, column : column + width]


@lru_cache(maxsize=1)
def _tone_table() -> npt.NDArray[np.uint8]:
    """8-bit value by square root of radiance: soft shoulder up to white at 6, then display gamma."""
    radiance = (np.arange(_TABLE_SIZE) / _ROOT_STEPS) ** 2
    white = 5.5
    squeezed = radiance * (1.0 + radiance / (white * white)) / (1.0 + radiance)
    toe = squeezed * (squeezed + 0.004) / (squeezed + 0.006)
    return np.rint(255.0 * np.clip(toe * 1.12, 0.0, 1.0) ** (1.0 / 2.2)).astype(np.uint8)


def _block_mean(image: npt.NDArray[np.integer]) -> npt.NDArray[np.uint16]:
    """Mean of 4 x 4 blocks of an (H, W, C) image, filled up with zeros at the edges."""
    height, width, channels = image.shape
    rows, columns = -(-height // 4), -(-width // 4)
    padded = np.zeros((rows * 4, columns * 4, channels), np.int32)
    padded[:height, :width] = image
    rows_summed = padded.reshape(rows, 4, columns * 4, channels).sum(axis=1, dtype=np.int32)
    total = rows_summed.reshape(rows, columns, 4, channels).sum(axis=2, dtype=np.int32)
    return (total // 16).astype(np.uint16)


def _enlarge(image: npt.NDArray[np.uint16], height: int, width: int) -> npt.NDArray[np.uint16]:
    """Four times as large, cut to (height, width)."""
    size = (image.shape[1] * 4, image.shape[0] * 4)
    large = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(large, np.uint16)[:height, :width]


def glare(picture: Floats) -> Floats:
    """(H, W, 3) light that lenses spread around bright spots, from the radiance in a picture.

    Works at a quarter and a sixteenth of the size, in integers so that it is exact.
    """
    height, width = picture.shape[:2]
    bright = np.clip((picture - np.float32(_GLARE_THRESHOLD)) * np.float32(_GLARE_STEPS), 0, 32000)
    quarter = _block_mean(bright.astype(np.int32))
    sixteenth = _block_mean(quarter)
    total = np.zeros(quarter.shape, np.float32)
    for image, sigma, share in ((quarter, 1.6, 0.10), (sixteenth, 1.5, 0.055), (sixteenth, 5.0, 0.035)):
        spread = np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma * width / 640.0, 0.4)), np.uint16)
        total += np.float32(share) * (spread if image is quarter else _enlarge(spread, *quarter.shape[:2]))
    fine = _enlarge(np.minimum(total, 65535.0).astype(np.uint16), height, width)
    return fine * np.float32(1.0 / _GLARE_STEPS)


def expose(channels: list[Floats], sky: Atmosphere, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Develop (H, W) radiances into an (H, W, 3) uint8 RGB picture."""
    height, width = channels[0].shape
    picture = np.stack(channels, axis=2) * np.float32(sky.exposure)
    picture += glare(picture)
    root = np.sqrt(np.maximum(picture, np.float32(0.0))) * np.float32(_ROOT_STEPS)
    grain = np.float32(sky.noise * _ROOT_STEPS)
    root += (noise_image(rng, height, width) * (np.float32(0.8) * grain))[..., None]
    for k in range(3):
        root[..., k] += noise_image(rng, height, width) * (np.float32(0.6) * grain)
    return _tone_table().take(np.clip(root, 0, _TABLE_SIZE - 1).astype(np.int32))
