"""Structural similarity to the best patch that two sources could give: the MEF-SSIM of exposure fusion."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .luma_input import luma_metric
from .sliding_window import gaussian, windowed_mean
from .structural_similarity import halved

_SIZE = 11
_GAUSSIAN = gaussian(_SIZE, 1.5)
_BOX = (1 / _SIZE,) * _SIZE
_PIXELS = _SIZE * _SIZE
_C = (0.03 * 255) ** 2
_LARGEST_POWER = 10.0
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001)  # before division by their sum
_EPSILON = torch.finfo(torch.float64).eps


@luma_metric(minimum_side=_SIZE)
def mef_ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MEF-SSIM: mean over all whole 11 x 11 windows of (2 s_FP + C) / (s_F^2 + s_P^2 + C), C = (.03 * 255)^2.

    s are Gaussian moments (sigma 1.5) of the fused patch and of the patch wanted, P. With x_V and x_R the
    sources' patches less their means, P ~ w_V x_V / |x_V| + w_R x_R / |x_R| with the greater of both lengths,
    w_S ~ (|x_S| / 11)^p, p = min(tan(R pi / 2), 10) and R = |x_V + x_R| / (|x_V| + |x_R|). Lengths |x_S| are
    increased by .001. Luminance does not count. Three flat images give 1.
    Source: Ma, Zeng, Wang, IEEE Trans. Image Processing 24 (2015) 3345-3356.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 11 x 11 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    return _similarity(*(image.double() for image in (fused, visible, infrared)))


@luma_metric(minimum_side=_SIZE * 2 ** (len(_SCALE_WEIGHTS) - 1))
def multi_scale_mef_ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Product of MEF-SSIM at three scales to the powers w / .6305, w = .0448, .2856, .3001, finest first.

    Each coarser scale is the mean of 2 x 2 pixels. A negative factor counts as 0.
    Source: Ma, Zeng, Wang, IEEE Trans. Image Processing 24 (2015) 3345-3356.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 44 x 44 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    images = [image.double() for image in (fused, visible, infrared)]
    product = torch.ones_like(images[0][:, 0, 0])
    for scale, weight in enumerate(_SCALE_WEIGHTS):
        if scale > 0:
            images = [halved(image) for image in images]
        product *= _similarity(*images).clamp(min=0).pow(weight / sum(_SCALE_WEIGHTS))
    return product


class _Windows(NamedTuple):
    """A batch and its means in all windows of these weights."""

    images: Tensor
    means: Tensor
    weights: tuple[float, ...]

    def covariance(self, other: _Windows) -> Tensor:
        """Return the covariance with the other images in each window."""
        return windowed_mean(self.images * other.images, self.weights).sub_(self.means * other.means)


def _windows(images: Tensor, weights: tuple[float, ...]) -> _Windows:
    return _Windows(images, windowed_mean(images, weights), weights)


def _similarity(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    share_v, share_r = _shares(visible, infrared)
    f, v, r = (_windows(image, _GAUSSIAN) for image in (fused, visible, infrared))
    power = _power_of_sum(share_v, share_r, v.covariance(v), r.covariance(r), v.covariance(r))
    cross = (share_v * f.covariance(v)).addcmul_(share_r, f.covariance(r))
    return (2 * cross + _C).div_(f.covariance(f).add_(power).add_(_C)).mean(dim=(1, 2))


def _shares(visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each window the factors of both centred source patches in the patch wanted."""
    v, r = _windows(visible, _BOX), _windows(infrared, _BOX)
    power_v, power_r, cross = (
        v.covariance(v).mul_(_PIXELS).clamp_(min=0),
        r.covariance(r).mul_(_PIXELS).clamp_(min=0),
        v.covariance(r).mul_(_PIXELS),
    )
    length_v, length_r = power_v.sqrt(), power_r.sqrt()
    length_of_sum = (power_v + power_r).add_(cross, alpha=2).clamp_(min=0).sqrt_()
    consistency = length_of_sum.add_(_EPSILON).div_((length_v + length_r).add_(_EPSILON))
    power = consistency.clamp_(max=1 - _EPSILON).mul_(math.pi / 2).tan_().clamp_(max=_LARGEST_POWER)
    length_v.add_(0.001)
    length_r.add_(0.001)
    weight_v, weight_r = ((length / _SIZE).pow_(power).add_(_EPSILON) for length in (length_v, length_r))
    total = weight_v + weight_r
    share_v, share_r = weight_v.div_(total).div_(length_v), weight_r.div_(total).div_(length_r)
    norm = _power_of_sum(share_v, share_r, power_v, power_r, cross).clamp_(min=0).sqrt_()
    scale = length_v.maximum(length_r).div_(norm).masked_fill_(norm == 0, 1)
    return share_v.mul_(scale), share_r.mul_(scale)


def _power_of_sum(a: Tensor, b: Tensor, power_v: Tensor, power_r: Tensor, cross: Tensor) -> Tensor:
    """Return |a v + b r|^2 = a^2 |v|^2 + b^2 |r|^2 + 2 a b v r."""
    return (a * a).mul_(power_v).addcmul_(b * b, power_r).addcmul_(a * b, cross, value=2)
