"""Structural similarity of a fused image to its sources."""

from __future__ import annotations

import numpy as np

from .gaussian_window import windowed_mean
from .luma_input import FloatImage, LumaImage, check_luma

_SIZE = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Structural similarity SSIM = (ssim(F, V) + ssim(F, R)) / 2, in [-1, 1].

    ssim(A, B) is the mean of (2 m_A m_B + C1) (2 s_AB + C2) / ((m_A^2 + m_B^2 + C1) (s_A^2 + s_B^2 + C2))
    over all whole 11 x 11 Gaussian windows (sigma 1.5), with C1 = (.01 * 255)^2 and C2 = (.03 * 255)^2.
    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Processing 13 (2004) 600-612, eq. 13.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 11.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("ssim", minimum_side=_SIZE, fused=fused, visible=visible, infrared=infrared)
    f = fused.astype(np.float64)
    mean_f, power_f = _mean(f), _mean(f * f)
    similarities = []
    for source in (visible, infrared):
        s = source.astype(np.float64)
        mean_s = _mean(s)
        products, squares = mean_f * mean_s, mean_f * mean_f + mean_s * mean_s
        covariance = _mean(f * s) - products
        variances = power_f + _mean(s * s) - squares
        quality = (2 * products + _C1) * (2 * covariance + _C2) / ((squares + _C1) * (variances + _C2))
        similarities.append(float(np.mean(quality)))
    return sum(similarities) / 2


def _mean(image: FloatImage) -> FloatImage:
    return windowed_mean(image, _SIZE, _SIGMA)
