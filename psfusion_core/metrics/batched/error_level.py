"""Batched `psfusion_core.metrics.error_level`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

from torch import Tensor


def mse(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MSE of each triple."""
    errors = [(fused - source).square().mean(dim=(1, 2)) for source in (visible, infrared)]
    return (errors[0] + errors[1]) / 2


def psnr(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """PSNR of each triple, in dB."""
    least = 1 / (8 * fused[0].numel())
    return 10 * (255**2 / mse(fused, visible, infrared).clamp(min=least)).log10()
