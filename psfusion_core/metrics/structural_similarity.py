"""Structural similarity of a fused image to its sources, at one scale and at several."""

from __future__ import annotations

import math

import numpy as np

from .gaussian_window import windowed_mean
from .luma_input import FloatImage, LumaImage, check_luma

_SIZE = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
#: Exponents of the scales of MS-SSIM, finest first; their sum is 1.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Structural similarity SSIM = (ssim(F, V) + ssim(F, R)) / 2, in [-1, 1].

    ssim(A, B) is the mean of (2 m_A m_B + C1) (2 s_AB + C2) / ((m_A^2 + m_B^2 + C1) (s_A^2 + s_B^2 + C2))
    over all whole 11 x 11 Gaussian windows (sigma 1.5), with C1 = (.01 * 255)^2 and C2 = (.03 * 255)^2.
    Flat images have the first of both factors, of their levels.
    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Processing 13 (2004) 600-612, eq. 13.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 11.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("ssim", minimum_side=_SIZE, fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return sum(similarity for similarity, _ in _similarities(f, [v, r])) / 2


def ms_ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Multi-scale structural similarity MS-SSIM = (msssim(F, V) + msssim(F, R)) / 2, in [0, 1].

    msssim(A, B) = ssim_5^w_5 * product over the scales i = 1 to 4 of cs_i^w_i with the weights .0448, .2856,
    .3001, .2363, .1333. ssim_i is the mean of `ssim` at scale i, cs_i that of its factor
    (2 s_AB + C2) / (s_A^2 + s_B^2 + C2) alone; a negative mean counts as 0. Each coarser scale is the mean of
    2 x 2 pixels; an odd last row or column counts twice.
    Scales at which a side is under 11 pixels, the window's, are left out and the other weights divided by
    their sum: all five need images of at least 161 x 161 pixels, and values of different numbers of scales do
    not compare. Flat images have the luminance factor of `ssim`, to the power of the coarsest scale's weight.
    Source: Wang, Simoncelli, Bovik, Asilomar Conf. Signals, Systems and Computers (2003) 1398-1402, eq. 7.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 11.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("ms_ssim", minimum_side=_SIZE, fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    weights = scale_weights(*fused.shape)
    products = [1.0, 1.0]
    for scale, weight in enumerate(weights):
        if scale > 0:
            f, v, r = (halved(image) for image in (f, v, r))
        for index, (similarity, contrast) in enumerate(_similarities(f, [v, r])):
            factor = similarity if scale == len(weights) - 1 else contrast
            products[index] *= max(factor, 0.0) ** weight
    return sum(products) / 2


def scale_weights(height: int, width: int) -> list[float]:
    """Return the exponents of those scales of MS-SSIM whose images hold a whole window; their sum is 1."""
    sides = [math.ceil(min(height, width) / 2**scale) for scale in range(len(SCALE_WEIGHTS))]
    kept = [weight for weight, side in zip(SCALE_WEIGHTS, sides, strict=True) if side >= _SIZE]
    return [weight / sum(kept) for weight in kept]


def _similarities(fused: FloatImage, sources: list[FloatImage]) -> list[tuple[float, float]]:
    """For each source, the means of SSIM and of its contrast and structure factor over all windows."""
    mean_f, power_f = _mean(fused), _mean(fused * fused)
    means = []
    for source in sources:
        mean_s = _mean(source)
        products, squares = mean_f * mean_s, mean_f * mean_f + mean_s * mean_s
        covariance = _mean(fused * source) - products
        variances = power_f + _mean(source * source) - squares
        contrast = (2 * covariance + _C2) / (variances + _C2)
        luminance = (2 * products + _C1) / (squares + _C1)
        means.append((float(np.mean(luminance * contrast)), float(np.mean(contrast))))
    return means


def halved(image: FloatImage) -> FloatImage:
    """Return the means of 2 x 2 pixels; an odd last row or column counts twice."""
    height, width = image.shape
    even = np.pad(image, ((0, height % 2), (0, width % 2)), mode="edge")
    means: FloatImage = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return means


def _mean(image: FloatImage) -> FloatImage:
    return windowed_mean(image, _SIZE, _SIGMA)
