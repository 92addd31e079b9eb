"""Metrics built on Pearson's correlation r over all pixels; r counts as 0 if either side is flat."""

from __future__ import annotations

import torch
from torch import Tensor

from .luma_input import luma_metric


@luma_metric()
def correlation(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Correlation coefficient CC = (r(F, V) + r(F, R)) / 2, in [-1, 1]; 0 of a flat fused image.

    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f, v, r = (_centred(image.double()) for image in (fused, visible, infrared))
    return (_pearson(f, v) + _pearson(f, r)) / 2


@luma_metric()
def scd(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Sum of the correlations of differences SCD = r(F - R, V) + r(F - V, R), in [-2, 2].

    Source: Aslantas, Bendes, AEU Int. J. Electronics and Communications 69 (2015) 1890-1896.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f, v, r = (image.double() for image in (fused, visible, infrared))
    without_r, without_v = _centred(f - r), _centred(f - v)
    return _pearson(without_r, _centred(v)) + _pearson(without_v, _centred(r))


def _centred(images: Tensor) -> Tensor:
    return images.sub_(images.mean(dim=(1, 2), keepdim=True))


def _pearson(first: Tensor, second: Tensor) -> Tensor:
    """Return the correlation of images whose means are 0."""
    product = (first * second).sum(dim=(1, 2))
    scale = torch.linalg.vector_norm(first, dim=(1, 2)) * torch.linalg.vector_norm(second, dim=(1, 2))
    return (product / scale).where(scale > 0, 0.0)
