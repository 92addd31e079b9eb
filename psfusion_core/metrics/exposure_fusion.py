"""Structural similarity to the best patch that two sources could give: the MEF-SSIM of exposure fusion."""

from __future__ import annotations

import cv2
import numpy as np

from .gaussian_window import windowed_mean
from .luma_input import FloatImage, LumaImage, check_luma
from .structural_similarity import halved

_SIZE = 11
_SIGMA = 1.5
_PIXELS = _SIZE * _SIZE
_C = (0.03 * 255) ** 2
_LARGEST_POWER = 10.0
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001)  # divided by their sum where they are used
_EPSILON = float(np.finfo(np.float64).eps)


def mef_ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """MEF-SSIM: mean over all whole 11 x 11 windows of (2 s_FP + C) / (s_F^2 + s_P^2 + C), C = (.03 * 255)^2.

    s are Gaussian moments (sigma 1.5) of the fused patch and of the patch wanted, P. With x_V and x_R the
    sources' patches less their means, P ~ w_V x_V / |x_V| + w_R x_R / |x_R| with the longer of both lengths,
    w_S ~ (|x_S| / 11)^p, p = min(tan(R pi / 2), 10) and R = |x_V + x_R| / (|x_V| + |x_R|). Lengths |x_S| are
    taken .001 longer. Luminance does not count. Three flat images give 1.
    Source: Ma, Zeng, Wang, IEEE Trans. Image Processing 24 (2015) 3345-3356.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 11.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("mef_ssim", minimum_side=_SIZE, fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return _similarity(f, v, r)


def multi_scale_mef_ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Product of MEF-SSIM at three scales to the powers w / .6305, w = .0448, .2856, .3001, finest first.

    Each coarser scale is the mean of 2 x 2 pixels. A negative factor counts as 0.
    Source: Ma, Zeng, Wang, IEEE Trans. Image Processing 24 (2015) 3345-3356.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 44.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    side = _SIZE * 2 ** (len(_SCALE_WEIGHTS) - 1)
    check_luma("multi_scale_mef_ssim", minimum_side=side, fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    product = 1.0
    for scale, weight in enumerate(_SCALE_WEIGHTS):
        if scale > 0:
            f, v, r = (halved(image) for image in (f, v, r))
        product *= max(_similarity(f, v, r), 0.0) ** (weight / sum(_SCALE_WEIGHTS))
    return product


def _similarity(fused: FloatImage, visible: FloatImage, infrared: FloatImage) -> float:
    share_v, share_r = _shares(visible, infrared)
    power_f, power_v, power_r = (_covariance(image, image) for image in (fused, visible, infrared))
    cross_vr = _covariance(visible, infrared)
    wanted = share_v**2 * power_v + share_r**2 * power_r + 2 * share_v * share_r * cross_vr
    cross = share_v * _covariance(fused, visible) + share_r * _covariance(fused, infrared)
    return float(np.mean((2 * cross + _C) / (power_f + wanted + _C)))


def _shares(visible: FloatImage, infrared: FloatImage) -> tuple[FloatImage, FloatImage]:
    """Factors of both sources' centred patches in the patch wanted, per window."""
    mean_v, mean_r = _box_mean(visible), _box_mean(infrared)
    power_v = np.maximum(_box_mean(visible * visible) - mean_v * mean_v, 0)
    power_r = np.maximum(_box_mean(infrared * infrared) - mean_r * mean_r, 0)
    cross = _box_mean(visible * infrared) - mean_v * mean_r
    length_v, length_r = (np.sqrt(_PIXELS * power) for power in (power_v, power_r))
    length_of_sum = np.sqrt(_PIXELS * np.maximum(power_v + power_r + 2 * cross, 0))
    consistency = (length_of_sum + _EPSILON) / (length_v + length_r + _EPSILON)
    consistency = np.where(consistency > 1, 1 - _EPSILON, consistency)
    power = np.minimum(np.tan(np.pi / 2 * consistency), _LARGEST_POWER)
    length_v, length_r = length_v + 0.001, length_r + 0.001
    weight_v, weight_r = ((length / _SIZE) ** power + _EPSILON for length in (length_v, length_r))
    total = weight_v + weight_r
    share_v, share_r = weight_v / total / length_v, weight_r / total / length_r
    unscaled = share_v**2 * power_v + share_r**2 * power_r + 2 * share_v * share_r * cross
    norm = np.sqrt(_PIXELS * np.maximum(unscaled, 0))
    scale = np.where(norm > 0, np.maximum(length_v, length_r) / np.where(norm > 0, norm, 1), 1)
    return share_v * scale, share_r * scale


def _covariance(first: FloatImage, second: FloatImage) -> FloatImage:
    mean = windowed_mean(first, _SIZE, _SIGMA) * windowed_mean(second, _SIZE, _SIGMA)
    return windowed_mean(first * second, _SIZE, _SIGMA) - mean


def _box_mean(image: FloatImage) -> FloatImage:
    margin = _SIZE // 2
    filtered = np.asarray(cv2.blur(image, (_SIZE, _SIZE)), np.float64)
    return filtered[margin : image.shape[0] - margin, margin : image.shape[1] - margin]
