"""Visual information fidelity of a fused image."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from .luma_input import luma_metric
from .sliding_window import gaussian, windowed_mean

#: Side of the window of each scale, finest first; sigma is a fifth of it.
WINDOWS = (17, 9, 5, 3)
_NOISE = 2.0  # variance of the visual noise, on the 0-255 scale
_FLAT = 1e-10  # a smaller variance counts as none


@luma_metric(minimum_side=WINDOWS[0])
def vif(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Visual information fidelity VIF = vif(V, F) + vif(R, F), in the pixel domain over four scales.

    vif(S, F) = sum log(1 + g^2 s_S^2 / (s_n^2 + 2)) / sum log(1 + s_S^2 / 2) over all scales and windows,
    with g = s_SF / s_S^2 and s_n^2 = s_F^2 - g s_SF of Gaussian windows of 17, 9, 5, 3 pixels (sigma a fifth
    of that); before each coarser scale the images are smoothed with its window and halved. Negative g counts
    as 0. A flat source has no information and adds 0. Scales too small for their window (image sides
    under 41) are left out.
    Source: Sheikh, Bovik, IEEE Trans. Image Processing 15 (2006) 430-444, and its pixel-domain form.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 17 x 17 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    # Moments do not depend on the mean level; without it E[x^2] - E[x]^2 loses fewer digits.
    doubles = (image.double() for image in (fused, visible, infrared))
    return fidelity(image.sub_(image.mean(dim=(1, 2), keepdim=True).round_()) for image in doubles)


def fidelity(images: Iterable[Tensor], largest_product: float = math.inf) -> Tensor:
    """Return `vif` of three float64 batches, with products cut off at a value at the finest scale."""
    f, v, r = images
    kept, available = torch.zeros(2, 2, len(f), dtype=f.dtype, device=f.device)
    for scale, size in enumerate(WINDOWS):
        weights = gaussian(size, size / 5)
        largest = largest_product if scale == 0 else math.inf
        if scale > 0 and min(f.shape[1:]) >= size:
            f, v, r = (windowed_mean(image, weights, step=2) for image in (f, v, r))
        if min(f.shape[1:]) < size:
            break
        mean_f, power_f = windowed_mean(f, weights), windowed_mean((f * f).clamp_(max=largest), weights)
        variance_f = power_f.sub_(mean_f * mean_f)
        for index, source in enumerate((v, r)):
            mean = windowed_mean(source, weights)
            power, cross = (
                windowed_mean((source * image).clamp_(max=largest), weights) for image in (source, f)
            )
            variance, covariance = power.sub_(mean * mean), cross.sub_(mean * mean_f)
            kept[index] += _information_kept(variance, variance_f, covariance)
            available[index] += _information_available(variance)
    return (kept / available).where(available > 0, 0.0).sum(dim=0)


def _information_available(variance: Tensor) -> Tensor:
    """Return the sum of log(1 + s_S^2 / 2) over windows: the information in a source."""
    return variance.clamp(min=0).div_(_NOISE).log1p_().sum(dim=(1, 2))


def _information_kept(variance: Tensor, variance_fused: Tensor, covariance: Tensor) -> Tensor:
    """Return the sum of log(1 + g^2 s_S^2 / (s_n^2 + 2)) over windows: what is left of it when fused."""
    unusable = (variance <= _FLAT).logical_or_(variance_fused <= _FLAT).logical_or_(covariance <= 0)
    gain = (covariance / variance).masked_fill_(unusable, 0)
    distortion = torch.addcmul(variance_fused, gain, covariance, value=-1).clamp_(min=0)
    seen = gain.square_().mul_(variance).div_(distortion.add_(_NOISE))
    return seen.log1p_().sum(dim=(1, 2))
