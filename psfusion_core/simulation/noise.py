"""Tileable noise made of exact arithmetic, so that every machine draws the same bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def value_noise(rng: np.random.Generator, size: int, cells: int) -> FloatArray:
    """Smooth random field: random values on a coarse lattice, interpolated with a cubic step.

    Args:
        rng: source of the lattice values.
        size: side of the field in texels.
        cells: lattice cells per side; the field tiles seamlessly.

    Returns:
        (size, size) float64 in [0, 1].
    """
    lattice = rng.random((cells, cells))
    position = (np.arange(size) + 0.5) * (cells / size)
    low = np.floor(position).astype(np.int64)
    fraction = position - low
    weight = fraction * fraction * (3.0 - 2.0 * fraction)
    low %= cells
    high = (low + 1) % cells
    rows = lattice[low] + (lattice[high] - lattice[low]) * weight[:, None]
    return rows[:, low] + (rows[:, high] - rows[:, low]) * weight[None, :]


def fractal_noise(rng: np.random.Generator, size: int, cells: int, octaves: int) -> FloatArray:
    """Sum of `octaves` value noises, each twice as fine and half as strong.

    Returns:
        (size, size) float64 in [0, 1].
    """
    total = np.zeros((size, size))
    weight, weight_sum = 1.0, 0.0
    for octave in range(octaves):
        total += weight * value_noise(rng, size, min(cells << octave, size))
        weight_sum += weight
        weight *= 0.5
    return total / weight_sum


def gaussian_tile(rng: np.random.Generator, size: int) -> npt.NDArray[np.float32]:
    """White noise of about normal distribution: the sum of eight random bytes (exact integers).

    Returns:
        (size, size) float32, mean 0, standard deviation 1.
    """
    total = rng.integers(0, 256, (8, size, size), dtype=np.uint8).sum(axis=0, dtype=np.int32)
    return ((total - 1020) / 209.0).astype(np.float32)
