"""Batched `psfusion_core.metrics.structural_similarity`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.metrics.structural_similarity import scale_weights

from .gaussian_window import windowed_mean

_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """SSIM of each triple."""
    return (_similarity(fused, visible)[0] + _similarity(fused, infrared)[0]) / 2


def ms_ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MS-SSIM of each triple."""
    return (_multi_scale(fused, visible) + _multi_scale(fused, infrared)) / 2


def _multi_scale(fused: Tensor, source: Tensor) -> Tensor:
    weights = scale_weights(*fused.shape[1:])
    product = torch.ones(len(fused), dtype=fused.dtype, device=fused.device)
    for scale, weight in enumerate(weights):
        if scale > 0:
            fused, source = _halved(fused), _halved(source)
        similarity, contrast = _similarity(fused, source)
        factor = similarity if scale == len(weights) - 1 else contrast
        product = product * factor.clamp(min=0).pow(weight)
    return product


def _similarity(fused: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    mean_f, mean_s, power_f, power_s, cross = (
        windowed_mean(image, 11, 1.5)
        for image in (fused, source, fused.square(), source.square(), fused * source)
    )
    products, squares = mean_f * mean_s, mean_f.square() + mean_s.square()
    contrast = (2 * (cross - products) + _C2) / (power_f + power_s - squares + _C2)
    luminance = (2 * products + _C1) / (squares + _C1)
    return (luminance * contrast).mean(dim=(1, 2)), contrast.mean(dim=(1, 2))


def _halved(images: Tensor) -> Tensor:
    _, height, width = images.shape
    even = F.pad(images.unsqueeze(1), (0, width % 2, 0, height % 2), mode="replicate")
    return F.avg_pool2d(even, 2).squeeze(1)
