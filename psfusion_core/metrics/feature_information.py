"""Mutual information of features in small windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .luma_input import FloatImage, LumaImage, check_luma

_SIDE = 3
_SAMPLES = _SIDE * _SIDE
_CHUNK = 8192  # windows at a time: their arrays stay in the processor's cache


def fmi(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Feature mutual information FMI = (fmi(F, V) + fmi(F, R)) / 2 of the grey levels themselves (FMI_pixel).

    fmi(F, S) is the mean over all whole 3 x 3 windows of 2 I / (H_F + H_S), I = H_F + H_S - H_FS, and 1 where
    both windows are equal. A window's nine levels, less their least and divided by their sum, are taken for
    probabilities p_F(i), p_S(j) of the positions i, j = 1 .. 9, column after column; a flat window has 1/9
    each. With P_F, P_S their sums up to i and j, and c the correlation of p_F and p_S, the joint distribution
    is w U(i, j) + (1 - w) P_F(i) P_S(j), where U is Frechet's bound min(P_F, P_S) if c > 0, or
    max(P_F + P_S - 1, 0) if c < 0, and w is c divided by the correlation of i and j under U, or 0 where that
    does not exist. w may exceed 1 and probabilities p be negative: the entropy H_FS sums -p log2 |p|.
    Flat images are equal (1) or share nothing (0).
    Source: Haghighat, Aghagolzadeh, Seyedarabi, Computers and Electrical Engineering 37 (2011) 744-756;
    windows and normalisation of Haghighat, Razian, AICT (2014) 1-3.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 3.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("fmi", minimum_side=_SIDE, fused=fused, visible=visible, infrared=infrared)
    samples = [_windows(image) for image in (fused, visible, infrared)]
    total = 0.0
    for start in range(0, samples[0].shape[1], _CHUNK):
        f, v, r = (_distributions(values[:, start : start + _CHUNK]) for values in samples)
        total += float(np.sum(_shared(f, v)) + np.sum(_shared(f, r)))
    return total / (2 * samples[0].shape[1])


class _Distributions(NamedTuple):
    """One distribution over nine positions per window: (9, N) arrays by position, (N,) arrays by window."""

    levels: npt.NDArray[np.uint8]
    probability: FloatImage
    cumulated: FloatImage
    centred: FloatImage  # probability - 1/9, exactly 0 in a flat window
    deviation: FloatImage  # standard deviation of the position
    entropy: FloatImage


def _windows(image: LumaImage) -> npt.NDArray[np.uint8]:
    views = np.lib.stride_tricks.sliding_window_view(image, (_SIDE, _SIDE))
    return np.ascontiguousarray(views.transpose(3, 2, 0, 1).reshape(_SAMPLES, -1))


def _distributions(levels: npt.NDArray[np.uint8]) -> _Distributions:
    above = (levels - levels.min(axis=0)).astype(np.float64)
    total = above.sum(axis=0)
    flat = total == 0
    probability = np.where(flat, 1 / _SAMPLES, above / np.where(flat, 1, total))
    centred = np.where(flat, 0, probability - 1 / _SAMPLES)
    position = np.arange(1, _SAMPLES + 1)[:, np.newaxis]
    mean = np.sum(position * probability, axis=0)
    variance = np.sum((position - mean) ** 2 * probability, axis=0)
    entropy = np.sum(_surprise(probability), axis=0)
    return _Distributions(
        levels, probability, np.cumsum(probability, axis=0), centred, np.sqrt(variance), entropy
    )


def _shared(fused: _Distributions, source: _Distributions) -> FloatImage:
    """Normalised mutual information per window."""
    product = np.sum(fused.centred**2, axis=0) * np.sum(source.centred**2, axis=0)
    covariance = np.sum(fused.centred * source.centred, axis=0)
    correlation = np.where(product > 0, covariance / np.sqrt(np.where(product > 0, product, 1)), 0)
    positive = correlation > 0
    deviations = fused.deviation * source.deviation

    def frechet(i: int) -> FloatImage:
        a, b = fused.cumulated[i], source.cumulated
        return np.where(positive, np.minimum(a, b), np.maximum(a + b - 1, 0))

    # Hoeffding: the covariance of two positions is the sum of how far their joint sums exceed independence.
    bound_covariance = np.zeros_like(correlation)
    for i in range(_SAMPLES):
        bound_covariance += np.sum(frechet(i) - fused.cumulated[i] * source.cumulated, axis=0)
    exists = (deviations > 0) & (bound_covariance != 0)
    weight = np.where(exists, correlation * deviations / np.where(exists, bound_covariance, 1), 0)

    joint_entropy = np.zeros_like(correlation)
    before = np.zeros_like(source.cumulated)
    for i in range(_SAMPLES):
        row = frechet(i)
        cell = np.diff(row - before, axis=0, prepend=0)
        joint = weight * cell + (1 - weight) * fused.probability[i] * source.probability
        joint_entropy += np.sum(_surprise(joint), axis=0)
        before = row
    entropies = fused.entropy + source.entropy
    shared = np.where(
        entropies > 0, 2 * (entropies - joint_entropy) / np.where(entropies > 0, entropies, 1), 0
    )
    return np.where((fused.levels == source.levels).all(axis=0), 1.0, shared)


def _surprise(probability: FloatImage) -> FloatImage:
    size = np.abs(probability)
    return -probability * np.log2(np.where(size > 0, size, 1))
