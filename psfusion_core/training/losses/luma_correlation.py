"""Agreement of the fused luma F with both sources, Y and I; all (B, 1, H, W) in [0, 1]."""

from __future__ import annotations

from torch import Tensor


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation over the pixels of each image: (B, 1, H, W) twice -> (B,) in [-1, 1]."""
    a = a.flatten(1) - a.flatten(1).mean(dim=1, keepdim=True)
    b = b.flatten(1) - b.flatten(1).mean(dim=1, keepdim=True)
    norm = (a.square().sum(dim=1) * b.square().sum(dim=1)).clamp(min=1e-8).sqrt()
    return (a * b).sum(dim=1) / norm


def correlation_loss(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L_corr = 1 / (cc(Y, F) + cc(I, F)); the sum is at least 0.1, for images that are nearly flat."""
    return (correlation(visible, fused) + correlation(infrared, fused)).clamp(min=0.1).reciprocal().mean()
