"""Batched `psfusion_core.metrics.fusion_artefacts`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .sobel import derivatives, strength_ratio


def nabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Nabf of each triple."""
    strength_fused, angle_fused = _edges(fused)
    new = torch.ones_like(fused, dtype=torch.bool)
    lost, total = torch.zeros_like(fused), torch.zeros_like(fused)
    for source in (visible, infrared):
        strength, angle = _edges(source)
        new &= strength_fused > strength
        ratio = strength_ratio(strength, strength_fused)
        alignment = ((angle - angle_fused).abs() / (math.pi / 2) - 1).abs()
        preserved = 0.9999 * (19 * (ratio - 0.5)).sigmoid() * 0.9995 * (22 * (alignment - 0.5)).sigmoid()
        weight = strength.pow(1.5).where(strength >= 2, 0.001)
        lost += (1 - preserved.sqrt()) * weight
        total += weight
    return (lost * new).sum(dim=(1, 2)) / total.sum(dim=(1, 2))


def _edges(image: Tensor) -> tuple[Tensor, Tensor]:
    across, down = (derivative / 8 for derivative in derivatives(image, "reflect"))
    angle = (down / across).atan().where(across != 0, math.pi / 2 * down.sign())
    return (across.square() + down.square()).sqrt(), angle
