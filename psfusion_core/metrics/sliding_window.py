"""Weighted means under a sliding window that lies wholly inside the images of a batch."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

_ROWS = 8
"""Rows of means that one product of matrices makes: few, because most of its factors are 0."""


def windowed_mean(images: Tensor, weights: tuple[float, ...], step: int = 1) -> Tensor:
    """Return the weighted means of whole N x N windows.

    Args:
        images: (B, H, W) float64, H and W at least N.
        weights: N weights of the rows of a window, and also of its columns.
        step: Distance between neighbouring windows in pixels.

    Returns:
        (B, (H - N) // step + 1, (W - N) // step + 1) float64.
    """
    # Products of matrices: the convolutions of PyTorch take several times as long in doubles on a CPU.
    return _mean_of_rows(_mean_of_rows(images, weights, step).mT, weights, step).mT


def _mean_of_rows(images: Tensor, weights: tuple[float, ...], step: int) -> Tensor:
    number = (images.shape[1] - len(weights)) // step + 1
    rows = min(number, _ROWS)
    matrix = _banded(weights, step, rows, images.device)
    used = matrix.shape[1]
    blocks = images.unfold(1, used, step * rows).mT
    means = (matrix.expand(*blocks.shape[:2], -1, -1) @ blocks).flatten(1, 2)
    if rest := number % rows:
        end = step * (number - 1) + len(weights)
        means = torch.cat([means, (matrix @ images[:, end - used : end])[:, -rest:]], dim=1)
    return means


@lru_cache
def _banded(weights: tuple[float, ...], step: int, rows: int, device: torch.device) -> Tensor:
    """Return the matrix of which each row has the weights, moved by the step from row to row."""
    matrix = torch.zeros(rows, step * (rows - 1) + len(weights), dtype=torch.float64)
    for row in range(rows):
        matrix[row, step * row : step * row + len(weights)] = torch.tensor(weights, dtype=torch.float64)
    return matrix.to(device)


@lru_cache
def gaussian(size: int, sigma: float) -> tuple[float, ...]:
    """Return the weights of a Gaussian window of an odd number of pixels; their sum is 1."""
    weights = torch.signal.windows.gaussian(size, std=sigma, dtype=torch.float64)
    return tuple((weights / weights.sum()).tolist())
