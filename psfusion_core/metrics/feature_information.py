"""Mutual information of features in small windows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .luma_input import luma_metric

_SIDE = 3
_SAMPLES = _SIDE * _SIDE
_TINY = torch.finfo(torch.float64).tiny
_CHUNK = 8192  # windows at a time on a CPU, so that their arrays stay in its cache


@luma_metric(minimum_side=_SIDE)
def fmi(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Feature mutual information FMI = (fmi(F, V) + fmi(F, R)) / 2 of the grey levels themselves (FMI_pixel).

    fmi(F, S) is the mean over all whole 3 x 3 windows of 2 I / (H_F + H_S), I = H_F + H_S - H_FS, and 1 where
    both windows are equal. A window's nine levels, less their least and divided by their sum, are the
    probabilities p_F(i), p_S(j) of the positions i, j = 1 .. 9, column after column; a flat window has 1/9
    each. P_F and P_S are their sums up to i and j, and c is the correlation of p_F and p_S. The joint
    distribution is w U(i, j) + (1 - w) P_F(i) P_S(j), where U is Frechet's bound min(P_F, P_S) if c > 0, or
    max(P_F + P_S - 1, 0) if c < 0, and w is c divided by the correlation of i and j under U, or 0 if that
    does not exist. w may exceed 1 and probabilities p be negative: the entropy H_FS sums -p log2 |p|.
    Flat images are equal (1) or share nothing (0).
    Source: Haghighat, Aghagolzadeh, Seyedarabi, Computers and Electrical Engineering 37 (2011) 744-756;
    windows and normalisation of Haghighat, Razian, AICT (2014) 1-3.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 3 x 3 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    samples = [_windows(image) for image in (fused, visible, infrared)]
    shared = torch.empty(samples[0].shape[1], dtype=torch.float64, device=fused.device)
    chunk = _CHUNK if fused.device.type == "cpu" else _CHUNK * 64
    for start in range(0, len(shared), chunk):
        f, v, r = (_distributions(levels[:, start : start + chunk]) for levels in samples)
        shared[start : start + chunk] = _shared(f, v).add_(_shared(f, r))
    return shared.view(len(fused), -1).mean(dim=1) / 2


class _Distributions(NamedTuple):
    """One distribution over nine positions per window: (9, N) tensors by position, (N,) tensors by window."""

    levels: Tensor  # uint8
    probability: Tensor
    cumulated: Tensor
    centred: Tensor  # probability - 1/9, exactly 0 in a flat window
    deviation: Tensor  # standard deviation of the position
    entropy: Tensor


def _windows(images: Tensor) -> Tensor:
    """Return the levels of all windows, column after column: (B, H, W) -> (9, N)."""
    views = images.unfold(1, _SIDE, 1).unfold(2, _SIDE, 1)
    return views.permute(4, 3, 0, 1, 2).reshape(_SAMPLES, -1)


def _distributions(levels: Tensor) -> _Distributions:
    above = (levels - levels.amin(dim=0)).double()
    total = above.sum(dim=0)
    flat = total == 0
    probability = above.add_(flat).div_(total.add_(flat, alpha=_SAMPLES))
    centred = (probability - 1 / _SAMPLES).masked_fill_(flat, 0)
    position = torch.arange(1, _SAMPLES + 1, dtype=torch.float64, device=levels.device)[:, None]
    mean = (position * probability).sum(dim=0)
    variance = (position - mean).square_().mul_(probability).sum(dim=0)
    entropy = _surprise(probability).sum(dim=0)
    return _Distributions(levels, probability, probability.cumsum(0), centred, variance.sqrt_(), entropy)


def _shared(fused: _Distributions, source: _Distributions) -> Tensor:
    """Return the normalised mutual information of each window."""
    product = fused.centred.square().sum(dim=0).mul_(source.centred.square().sum(dim=0))
    covariance = (fused.centred * source.centred).sum(dim=0)
    correlation = covariance.div_(product.sqrt_()).nan_to_num_(nan=0.0)
    positive = correlation > 0
    deviations = fused.deviation * source.deviation

    def frechet(i: int) -> Tensor:
        a, b = fused.cumulated[i], source.cumulated
        return torch.where(positive, a.minimum(b), (a + b).sub_(1).clamp_(min=0))

    # Hoeffding: the covariance of two positions is the sum of how far their joint sums exceed independence.
    rows = [frechet(i) for i in range(_SAMPLES)]
    bound_covariance = torch.zeros_like(correlation)
    for i, row in enumerate(rows):
        bound_covariance += torch.addcmul(row, fused.cumulated[i], source.cumulated, value=-1).sum(dim=0)
    exists = (deviations > 0).logical_and_(bound_covariance != 0)
    weight = (correlation * deviations / bound_covariance).masked_fill_(~exists, 0)

    joint_entropy = torch.zeros_like(correlation)
    independent = (1 - weight) * source.probability
    before = torch.zeros_like(source.cumulated)
    for i, row in enumerate(rows):
        cell = (row - before).diff(dim=0, prepend=torch.zeros_like(before[:1]))
        joint = cell.mul_(weight).addcmul_(independent, fused.probability[i])
        joint_entropy += _surprise(joint).sum(dim=0)
        before = row
    entropies = fused.entropy + source.entropy
    shared = (entropies - joint_entropy).mul_(2).div_(entropies).masked_fill_(entropies == 0, 0)
    return shared.masked_fill_((fused.levels == source.levels).all(dim=0), 1)


def _surprise(probability: Tensor) -> Tensor:
    """Return -p log2 |p|, 0 where p is 0."""
    return probability.abs().clamp_(min=_TINY).log2_().mul_(probability).neg_()
