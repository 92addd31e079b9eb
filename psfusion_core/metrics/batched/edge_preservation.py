"""Batched `psfusion_core.metrics.edge_preservation`: (B, H, W) float64 -> (B,) float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .sobel import derivatives, strength_ratio


def qabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Qabf of each triple."""
    strength_fused, angle_fused = _edges(fused)
    kept = total = torch.zeros(len(fused), dtype=fused.dtype, device=fused.device)
    for source in (visible, infrared):
        strength, angle = _edges(source)
        ratio = strength_ratio(strength, strength_fused)
        alignment = 1 - (angle - angle_fused).abs() / (math.pi / 2)
        preserved = 0.9994 * (15 * (ratio - 0.5)).sigmoid() * 0.9879 * (22 * (alignment - 0.8)).sigmoid()
        kept = kept + (preserved * strength).sum(dim=(1, 2))
        total = total + strength.sum(dim=(1, 2))
    return (kept / total).where(total > 0, 0.0)


def _edges(image: Tensor) -> tuple[Tensor, Tensor]:
    across, down = derivatives(image, "constant")
    angle = (down / across).atan().where(across != 0, math.pi / 2)
    return (across.square() + down.square()).sqrt(), angle
