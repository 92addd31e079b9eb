"""Metrics of information theory on 256-bin grey-level histograms, in bits; 0 of a flat fused image."""

from __future__ import annotations

import torch
from torch import Tensor

from .luma_input import luma_metric

_LEVELS = 256


@luma_metric()
def entropy(fused: Tensor) -> Tensor:
    """Entropy EN = -sum_l p(l) log2 p(l) over the 256 grey levels l, in bits (0 to 8).

    Source: Roberts, van Aardt, Ahmed, J. Applied Remote Sensing 2 (2008) 023522.

    Args:
        fused: uint8 luma, an (H, W) array or a (B, H, W) tensor.

    Raises:
        ValueError: `fused` is not such an image.
    """
    return shannon_entropy(histogram(fused))


@luma_metric()
def mutual_information(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Mutual information MI = I(F; V) + I(F; R), I(A; B) = H(A) + H(B) - H(A, B), in bits (0 to 16).

    Source: Qu, Zhang, Yan, Electronics Letters 38 (2002) 313-315; logarithm to base 2.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    return _shared_information(fused, visible) + _shared_information(fused, infrared)


def _shared_information(first: Tensor, second: Tensor) -> Tensor:
    joint = joint_histogram(first, second)
    table = joint.view(-1, _LEVELS, _LEVELS)
    separate = shannon_entropy(table.sum(2)) + shannon_entropy(table.sum(1))
    return (separate - shannon_entropy(joint)).clamp(min=0)  # rounding must not make independence negative


def histogram(levels: Tensor) -> Tensor:
    """Count how often each level occurs in each image: (B, H, W) uint8 -> (B, 256)."""
    return _count(levels, _LEVELS)


def joint_histogram(first: Tensor, second: Tensor) -> Tensor:
    """Count how often each pair of levels occurs at one pixel: 2 x (B, H, W) uint8 -> (B, 65536)."""
    return _count(first.int().mul_(_LEVELS).add_(second.int()), _LEVELS * _LEVELS)


def _count(values: Tensor, number: int) -> Tensor:
    return torch.stack([torch.bincount(image.flatten(), minlength=number) for image in values])


def shannon_entropy(counts: Tensor) -> Tensor:
    """Return -sum_l p(l) log2 p(l) in bits of the frequencies p that counts have: (B, N) -> (B,)."""
    probabilities = (image[image > 0] / image.sum() for image in counts.double())
    # abs: a flat image has 0, not -0
    return torch.stack([(p * p.log2()).sum().abs() for p in probabilities])
