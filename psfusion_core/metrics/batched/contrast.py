"""Batched `psfusion_core.metrics.contrast`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

import torch
from torch import Tensor


def standard_deviation(fused: Tensor) -> Tensor:
    """SD of each image."""
    return fused.std(dim=(1, 2), correction=0)


def spatial_frequency(fused: Tensor) -> Tensor:
    """SF of each image."""
    row, column = (fused.diff(dim=dim).square().mean(dim=(1, 2)) for dim in (2, 1))
    return (row + column).sqrt()


def average_gradient(fused: Tensor) -> Tensor:
    """AG of each image."""
    vertical, horizontal = torch.gradient(fused, dim=(1, 2))
    _, height, width = fused.shape
    magnitude = ((horizontal.square() + vertical.square()) / 2).sqrt()
    return magnitude.sum(dim=(1, 2)) / ((height - 1) * (width - 1))
