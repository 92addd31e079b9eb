"""Structural similarity of a fused image to its sources, at one scale and at several."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .luma_input import luma_metric
from .sliding_window import gaussian, windowed_mean

_SIZE = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
#: Exponents of the scales of MS-SSIM, finest first; their sum is 1.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@luma_metric(minimum_side=_SIZE)
def ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Structural similarity SSIM = (ssim(F, V) + ssim(F, R)) / 2, in [-1, 1].

    ssim(A, B) is the mean of (2 m_A m_B + C1) (2 s_AB + C2) / ((m_A^2 + m_B^2 + C1) (s_A^2 + s_B^2 + C2))
    over all whole 11 x 11 Gaussian windows (sigma 1.5), with C1 = (.01 * 255)^2 and C2 = (.03 * 255)^2.
    For flat images the value is the first factor, of their levels.
    Source: Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Processing 13 (2004) 600-612, eq. 13.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 11 x 11 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f, v, r = (image.double() for image in (fused, visible, infrared))
    to_visible, to_infrared = (similarity for similarity, _ in similarities(f, [v, r]))
    return (to_visible + to_infrared) / 2


@luma_metric(minimum_side=_SIZE)
def ms_ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Multi-scale structural similarity MS-SSIM = (msssim(F, V) + msssim(F, R)) / 2, in [0, 1].

    msssim(A, B) = ssim_5^w_5 * product over the scales i = 1 to 4 of cs_i^w_i with the weights .0448, .2856,
    .3001, .2363, .1333. ssim_i is the mean of `ssim` at scale i, cs_i that of its factor
    (2 s_AB + C2) / (s_A^2 + s_B^2 + C2) alone; a negative mean counts as 0. Each coarser scale is the mean of
    2 x 2 pixels; an odd last row or column counts twice.
    Scales with a side of less than 11 pixels, the window's, are left out, and the other weights are divided
    by their sum: all five need images of at least 161 x 161 pixels, and values from different numbers of
    scales cannot be compared. Flat images have the luminance factor of `ssim`, to the power of the coarsest
    scale's weight.
    Source: Wang, Simoncelli, Bovik, Asilomar Conf. Signals, Systems and Computers (2003) 1398-1402, eq. 7.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 11 x 11 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f, v, r = (image.double() for image in (fused, visible, infrared))
    weights = scale_weights(*fused.shape[1:])
    products = torch.ones(2, len(fused), dtype=f.dtype, device=f.device)
    for scale, weight in enumerate(weights):
        if scale > 0:
            f, v, r = (halved(image) for image in (f, v, r))
        for product, (similarity, contrast) in zip(products, similarities(f, [v, r]), strict=True):
            factor = similarity if scale == len(weights) - 1 else contrast
            product *= factor.clamp(min=0).pow(weight)
    return products.mean(dim=0)


def scale_weights(height: int, width: int) -> list[float]:
    """Return the exponents of the scales of MS-SSIM whose images hold a whole window; their sum is 1."""
    sides = [math.ceil(min(height, width) / 2**scale) for scale in range(len(SCALE_WEIGHTS))]
    kept = [weight for weight, side in zip(SCALE_WEIGHTS, sides, strict=True) if side >= _SIZE]
    return [weight / sum(kept) for weight in kept]


def similarities(
    fused: Tensor, sources: list[Tensor], c1: float = _C1, c2: float = _C2
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield for each source the means over all windows of SSIM and of its contrast and structure factor."""
    square_f, mean_f = fused * fused, _mean(fused)
    square_mean_f = mean_f * mean_f
    for source in sources:
        mean_s = _mean(source)
        products = mean_f * mean_s
        squares = torch.addcmul(square_mean_f, mean_s, mean_s)
        covariance = _mean(fused * source).sub_(products)
        variances = _mean(torch.addcmul(square_f, source, source)).sub_(squares)
        contrast = covariance.mul_(2).add_(c2).div_(variances.add_(c2))
        luminance = products.mul_(2).add_(c1).div_(squares.add_(c1))
        yield luminance.mul_(contrast).mean(dim=(1, 2)), contrast.mean(dim=(1, 2))


def halved(images: Tensor) -> Tensor:
    """Return the means of 2 x 2 pixels; an odd last row or column counts twice."""
    _, height, width = images.shape
    if height % 2 or width % 2:
        images = F.pad(images[:, None], (0, width % 2, 0, height % 2), mode="replicate")[:, 0]
    rows = images[:, ::2] + images[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]).div_(4)


def _mean(images: Tensor) -> Tensor:
    return windowed_mean(images, gaussian(_SIZE, _SIGMA))
