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
_GLARE_THRESHOLD, _GLARE_CEILING = 0.9, 32.0


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
    """Mean of 4 x 4 blocks of an (H, W) image, filled up with zeros at the edges."""
    height, width = image.shape
    rows, columns = -(-height // 4), -(-width // 4)
    padded = np.zeros((rows * 4, columns * 4), np.int32)
    padded[:height, :width] = image
    lines = padded[0::4] + padded[1::4] + padded[2::4] + padded[3::4]
    total = lines[:, 0::4] + lines[:, 1::4] + lines[:, 2::4] + lines[:, 3::4]
    return (total >> 4).astype(np.uint16)


def _enlarge(image: npt.NDArray[np.uint16], height: int, width: int) -> npt.NDArray[np.uint16]:
    """Four times as large, cut to (height, width)."""
    size = (image.shape[1] * 4, image.shape[0] * 4)
    large = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(large, np.uint16)[:height, :width]


def glare(channel: Floats) -> Floats:
    """(H, W) light that lenses spread around bright spots, from the radiance in one channel.

    Works at a quarter and a sixteenth of the size, in integers so that it is exact.
    """
    height, width = channel.shape
    bright = np.minimum(channel, np.float32(_GLARE_CEILING)) - np.float32(_GLARE_THRESHOLD)
    bright *= np.float32(_GLARE_STEPS)
    quarter = _block_mean(np.maximum(bright, np.float32(0.0), out=bright).astype(np.int32))
    sixteenth = _block_mean(quarter)
    total = np.zeros(quarter.shape, np.float32)
    for image, sigma, share in ((quarter, 1.6, 0.10), (sixteenth, 1.5, 0.055), (sixteenth, 5.0, 0.035)):
        spread = np.asarray(cv2.GaussianBlur(image, (0, 0), max(sigma * width / 640.0, 0.4)), np.uint16)
        total += np.float32(share) * (spread if image is quarter else _enlarge(spread, *quarter.shape))
    fine = _enlarge(np.minimum(total, np.float32(65535.0)).astype(np.uint16), height, width)
    return fine * np.float32(1.0 / _GLARE_STEPS)


def expose(channels: list[Floats], sky: Atmosphere, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Develop (H, W) radiances of red, green and blue into an (H, W, 3) uint8 picture."""
    height, width = channels[0].shape
    picture = np.empty((height, width, 3), np.uint8)
    table = _tone_table()
    grain = np.float32(sky.noise * _ROOT_STEPS)
    grey = noise_image(rng, height, width) * (np.float32(0.8) * grain)
    for k, radiance in enumerate(channels):
        channel = radiance * np.float32(sky.exposure)
        channel += glare(channel)
        root = np.sqrt(np.maximum(channel, np.float32(0.0), out=channel), out=channel)
        root *= np.float32(_ROOT_STEPS)
        root += grey
        root += noise_image(rng, height, width) * (np.float32(0.6) * grain)
        steps = np.minimum(np.maximum(root, np.float32(0.0), out=root), np.float32(_TABLE_SIZE - 1), out=root)
        picture[..., k] = table.take(steps.astype(np.int32))
    return picture
