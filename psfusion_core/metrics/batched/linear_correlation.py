"""Batched `psfusion_core.metrics.linear_correlation`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

from torch import Tensor


def correlation(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """CC of each triple."""
    return (_pearson(fused, visible) + _pearson(fused, infrared)) / 2


def scd(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """SCD of each triple."""
    return _pearson(fused - infrared, visible) + _pearson(fused - visible, infrared)


def _pearson(first: Tensor, second: Tensor) -> Tensor:
    first, second = (image - image.mean(dim=(1, 2), keepdim=True) for image in (first, second))
    powers = first.square().sum(dim=(1, 2)) * second.square().sum(dim=(1, 2))
    product = (first * second).sum(dim=(1, 2))
    return (product / powers.sqrt()).where(powers > 0, 0.0)
