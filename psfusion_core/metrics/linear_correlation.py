"""Metrics built on Pearson's correlation r over all pixels; r is taken as 0 where either side is flat."""

from __future__ import annotations

import numpy as np

from .luma_input import FloatImage, LumaImage, check_luma


def correlation(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Correlation coefficient CC = (r(F, V) + r(F, R)) / 2, in [-1, 1]; 0 of a flat fused image.

    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("correlation", fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return (_pearson(f, v) + _pearson(f, r)) / 2


def scd(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Sum of the correlations of differences SCD = r(F - R, V) + r(F - V, R), in [-2, 2].

    Source: Aslantas, Bendes, AEU Int. J. Electronics and Communications 69 (2015) 1890-1896.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("scd", fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return _pearson(f - r, v) + _pearson(f - v, r)


def _pearson(first: FloatImage, second: FloatImage) -> float:
    first = first - first.mean()
    second = second - second.mean()
    scale = float(np.sqrt(np.sum(first * first) * np.sum(second * second)))
    return float(np.sum(first * second)) / scale if scale > 0 else 0.0
