"""Visual information fidelity of a fused image."""

from __future__ import annotations

import numpy as np

from .gaussian_window import windowed_mean
from .luma_input import FloatImage, LumaImage, check_luma

#: Side of the window of each scale, finest first; sigma is a fifth of it.
WINDOWS = (17, 9, 5, 3)
_NOISE = 2.0  # variance of the visual noise, on the 0-255 scale
_FLAT = 1e-10  # a variance below this is none


def vif(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Visual information fidelity VIF = vif(V, F) + vif(R, F), in the pixel domain over four scales.

    vif(S, F) = sum log(1 + g^2 s_S^2 / (s_n^2 + 2)) / sum log(1 + s_S^2 / 2) over all scales and windows,
    with g = s_SF / s_S^2 and s_n^2 = s_F^2 - g s_SF of Gaussian windows of 17, 9, 5, 3 pixels (sigma a fifth
    of that); before each coarser scale the images are smoothed with its window and halved. Negative g counts
    as 0. A flat source has no information to keep and adds 0. Scales too small for their window (image sides
    under 41) are left out.
    Source: Sheikh, Bovik, IEEE Trans. Image Processing 15 (2006) 430-444, and its pixel-domain form.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 17.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("vif", minimum_side=WINDOWS[0], fused=fused, visible=visible, infrared=infrared)
    f, v, r = (_centred(image) for image in (fused, visible, infrared))
    kept = np.zeros(2)
    available = np.zeros(2)
    for scale, size in enumerate(WINDOWS):
        if scale > 0:
            if min(f.shape) < size:
                break
            f, v, r = (windowed_mean(image, size, size / 5)[::2, ::2] for image in (f, v, r))
        if min(f.shape) < size:
            break
        mean_f = windowed_mean(f, size, size / 5)
        variance_f = windowed_mean(f * f, size, size / 5) - mean_f * mean_f
        for index, source in enumerate((v, r)):
            mean = windowed_mean(source, size, size / 5)
            variance = windowed_mean(source * source, size, size / 5) - mean * mean
            covariance = windowed_mean(source * f, size, size / 5) - mean * mean_f
            kept[index] += information_kept(variance, variance_f, covariance)
            available[index] += information_available(variance)
    return float(sum(k / a for k, a in zip(kept, available, strict=True) if a > 0))


def _centred(image: LumaImage) -> FloatImage:
    # The moments do not depend on the offset; without it E[x^2] - E[x]^2 loses fewer digits.
    centred: FloatImage = image - np.rint(image.mean())
    return centred


def information_available(variance: FloatImage) -> float:
    """Sum of log(1 + s_S^2 / 2) over windows: what could be seen of a source of these variances."""
    return float(np.sum(np.log1p(np.maximum(variance, 0) / _NOISE)))


def information_kept(variance: FloatImage, variance_fused: FloatImage, covariance: FloatImage) -> float:
    """Sum of log(1 + g^2 s_S^2 / (s_n^2 + 2)) over windows: what can be seen of the source when fused."""
    usable = (variance > _FLAT) & (variance_fused > _FLAT) & (covariance > 0)
    gain = np.where(usable, covariance, 0) / np.where(usable, variance, 1)
    distortion = np.maximum(variance_fused - gain * covariance, 0)
    return float(np.sum(np.log1p(gain * gain * np.maximum(variance, 0) / (distortion + _NOISE))))
