"""Squared differences of a fused image to its sources."""

from __future__ import annotations

import math

import numpy as np

from .luma_input import LumaImage, check_luma

_PEAK = 255.0


def mse(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Mean squared error MSE = (mse(F, V) + mse(F, R)) / 2, 0 to 65025; smaller is better.

    mse(A, B) = mean((A - B)^2) over all H W pixels, on the 0-255 scale; divide by 255^2 for the [0, 1] scale.
    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("mse", fused=fused, visible=visible, infrared=infrared)
    return _mean_error(fused, visible, infrared)


def psnr(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Peak signal-to-noise ratio PSNR = 10 log10(255^2 / MSE) in dB, MSE the mean over both sources.

    The mean is taken of the errors, not of two ratios, so that a fused image equal to one of two sources has
    a finite value. Three equal images have no error: the value is then that of an error of half a grey level
    in a single one of the 2 H W pixels, 10 log10(255^2 * 8 H W).
    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("psnr", fused=fused, visible=visible, infrared=infrared)
    least = 1 / (8 * fused.size)
    return 10 * math.log10(_PEAK**2 / max(_mean_error(fused, visible, infrared), least))


def _mean_error(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return float(np.mean((f - v) ** 2) + np.mean((f - r) ** 2)) / 2
