"""Batched `psfusion_core.metrics.information`: (B, H, W) float64 of whole levels -> (B,) float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_LEVELS = 256


def entropy(fused: Tensor) -> Tensor:
    """EN of each image."""
    return _entropy(_counts(fused.flatten(1).long(), _LEVELS))


def mutual_information(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MI of each triple."""
    return _shared_information(fused, visible) + _shared_information(fused, infrared)


def _shared_information(first: Tensor, second: Tensor) -> Tensor:
    pairs = first.flatten(1).long() * _LEVELS + second.flatten(1).long()
    joint = _counts(pairs, _LEVELS * _LEVELS)
    table = joint.view(-1, _LEVELS, _LEVELS)
    return (_entropy(table.sum(2)) + _entropy(table.sum(1)) - _entropy(joint)).clamp(min=0)


def _counts(values: Tensor, number: int) -> Tensor:
    """(B, N) values 0 .. number - 1 -> (B, number) how often each occurs."""
    images = len(values)
    offset = torch.arange(images, device=values.device)[:, None] * number
    return torch.bincount((values + offset).flatten(), minlength=images * number).view(images, number)


def _entropy(counts: Tensor) -> Tensor:
    probability = counts.double() / counts.sum(dim=1, keepdim=True)
    return torch.special.entr(probability).sum(dim=1) / math.log(2)
