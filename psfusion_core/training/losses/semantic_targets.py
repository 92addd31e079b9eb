"""Targets of the semantic losses, computed from the label map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from psfusion_core.training.data.scene_planes import IGNORE


def binary_target(label: Tensor) -> Tensor:
    """Object or background: (B, H, W) class indices -> the same shape, 1 where the class is not 0."""
    return (label > 0).long().masked_fill(label == IGNORE, IGNORE)


def boundary_target(label: Tensor, radius: int = 1) -> Tensor:
    """Class boundaries: 1 where another class lies within ``radius`` pixels, (B, H, W) -> (B, H, W).

    Pixels within ``radius`` of an ignored pixel are ignored too, because a class there is unknown.
    """
    values = label.float().unsqueeze(1)
    size = 2 * radius + 1
    highest = F.max_pool2d(values, size, 1, radius)
    lowest = -F.max_pool2d(-values, size, 1, radius)
    return (highest != lowest).long().masked_fill(highest == IGNORE, IGNORE).squeeze(1)
