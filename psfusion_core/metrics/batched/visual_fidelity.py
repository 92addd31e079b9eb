"""Batched `psfusion_core.metrics.visual_fidelity`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

import torch
from torch import Tensor

from psfusion_core.metrics.visual_fidelity import WINDOWS

from .gaussian_window import windowed_mean

_NOISE = 2.0
_FLAT = 1e-10


def vif(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """VIF of each triple."""
    return _fidelity(visible, fused) + _fidelity(infrared, fused)


def _fidelity(source: Tensor, fused: Tensor) -> Tensor:
    s, f = (image - image.mean(dim=(1, 2), keepdim=True).round() for image in (source, fused))
    kept = available = torch.zeros(len(fused), dtype=fused.dtype, device=fused.device)
    for scale, size in enumerate(WINDOWS):
        if scale > 0 and min(f.shape[1:]) >= size:
            s, f = (windowed_mean(image, size, size / 5)[:, ::2, ::2] for image in (s, f))
        if min(f.shape[1:]) < size:
            break
        mean_s, mean_f, power_s, power_f, cross = (
            windowed_mean(image, size, size / 5) for image in (s, f, s.square(), f.square(), s * f)
        )
        variance, variance_fused = power_s - mean_s.square(), power_f - mean_f.square()
        covariance = cross - mean_s * mean_f
        usable = (variance > _FLAT) & (variance_fused > _FLAT) & (covariance > 0)
        gain = (covariance / variance).where(usable, 0.0)
        distortion = (variance_fused - gain * covariance).clamp(min=0)
        seen = gain.square() * variance.clamp(min=0) / (distortion + _NOISE)
        kept = kept + seen.log1p().sum(dim=(1, 2))
        available = available + (variance.clamp(min=0) / _NOISE).log1p().sum(dim=(1, 2))
    return (kept / available).where(available > 0, 0.0)
