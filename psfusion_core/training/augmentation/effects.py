"""Effects of cameras on images, each with its equation.

An effect is a function of images (N, C, H, W) in [0, 1] and parameters (N,), one per image. It returns images
clamped to [0, 1].
"""

from __future__ import annotations

import torch
from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
from kornia.geometry.transform import get_rotation_matrix2d, warp_affine
from torch import Tensor

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.5
LEAST_SPAN = 0.1
"""Least span that enhancement stretches: it amplifies at most tenfold, so that flat scenes stay flat."""
STRONGEST_POWER = 3.0
"""Largest power of a tone curve (and its inverse the least): more would show the 8-bit levels."""
READ_NOISE = 1.5
"""Read noise in electrons, typical of the sensors of robots' cameras."""


def wide(parameter: Tensor) -> Tensor:
    return parameter[:, None, None, None]


def change_gain(image: Tensor, gain: Tensor, gamma: Tensor, offset: Tensor) -> Tensor:
    """y = gain x^gamma + offset."""
    return (image.pow(wide(gamma)) * wide(gain) + wide(offset)).clamp(0.0, 1.0)


def darken(visible: Tensor, stops: Tensor) -> Tensor:
    """y = s(2^-stops s^-1(x)): 2^stops times less light; s is the transfer curve of sRGB (IEC 61966-2-1)."""
    return linear_rgb_to_rgb(rgb_to_linear_rgb(visible) * wide(2.0**-stops)).clamp(0.0, 1.0)


def add_shot_noise(visible: Tensor, electrons: float, noise: Tensor) -> Tensor:
    """y = s((e + sqrt(e + r^2) n) / E), e = E s^-1(x): E electrons at white, r of read noise, s as in darken.

    Args:
        visible: (N, 3, H, W).
        electrons: E.
        noise: n, white noise of the same shape with standard deviation 1.
    """
    signal = rgb_to_linear_rgb(visible) * electrons
    noisy = (signal + (signal + READ_NOISE**2).sqrt() * noise) / electrons
    return linear_rgb_to_rgb(noisy.clamp(0.0, 1.0)).clamp(0.0, 1.0)


def add_glare(visible: Tensor, centres: Tensor, radii: Tensor, peaks: Tensor, haze: Tensor) -> Tensor:
    """y = (1 - haze) x + haze + sum over lamps of peak / (1 + (d / radius)^2)^2, d the distance to the lamp.

    Args:
        visible: (N, 3, H, W).
        centres: (N, K, 2), x and y of K lamps in pixels.
        radii: (N, K) in pixels; a lamp of peak 2 saturates a disc of two thirds of its radius.
        peaks: (N, K); 0 means no lamp.
        haze: (N,) share of veiling light, in [0, 1].
    """
    height, width = visible.shape[-2:]
    dx = torch.arange(width, device=visible.device) - centres[..., 0, None]
    dy = torch.arange(height, device=visible.device) - centres[..., 1, None]
    squared = (dx.square()[..., None, :] + dy.square()[..., :, None]) / radii.square()[..., None, None]
    light = (peaks[..., None, None] / (1.0 + squared).square()).sum(dim=1, keepdim=True)
    return (torch.lerp(visible, torch.ones_like(visible), wide(haze)) + light).clamp(0.0, 1.0)


def misregister(infrared: Tensor, shift: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise about the centre, then shift right and down by (N, 2) pixels.

    Sampling is bilinear, and the border is repeated.
    """
    height, width = infrared.shape[-2:]
    centre = torch.tensor([[(width - 1) / 2, (height - 1) / 2]], device=infrared.device).expand_as(shift)
    matrices = get_rotation_matrix2d(centre, degrees, torch.ones_like(shift))
    matrices[:, :, 2] += shift
    return warp_affine(infrared, matrices, (height, width), padding_mode="border").clamp(0.0, 1.0)


def enhance_contrast(infrared: Tensor, background: Tensor) -> Tensor:
    """y = ((x - l) / max(h - l, 0.1))^p, with l and h the percentiles 1 and 99.5 of each image.

    p, from 1 to 3, maps the median to the given background, about 0.08 as in MSRS; road scenes of cameras
    without enhancement have 0.5. A background that is already darker stays.
    """
    low, median, high = _percentiles(infrared, LOW_PERCENTILE, 50.0, HIGH_PERCENTILE)
    span = (high - low).clamp(min=LEAST_SPAN)
    power = _power((median - low) / span, background).clamp(1.0, STRONGEST_POWER)
    return ((infrared - wide(low)) / wide(span)).clamp(0.0, 1.0).pow(wide(power))


def narrow_contrast(infrared: Tensor, background: Tensor, low: Tensor, span: Tensor) -> Tensor:
    """y = low + span x^p, the inverse of enhancement: low contrast on a grey background.

    p, from 1/3 to 1, brings the median of x^p to the given background, or closer to it.
    """
    (median,) = _percentiles(infrared, 50.0)
    power = _power(median, background).clamp(1.0 / STRONGEST_POWER, 1.0)
    return (infrared.pow(wide(power)) * wide(span) + wide(low)).clamp(0.0, 1.0)


def _percentiles(infrared: Tensor, *percentiles: float) -> list[Tensor]:
    """Nearest-rank percentiles over every fourth pixel of every fourth row of each image, (N,) each."""
    levels = infrared[..., ::4, ::4].flatten(1).sort(dim=1).values
    return [levels[:, round(percentile / 100.0 * (levels.shape[1] - 1))] for percentile in percentiles]


def _power(level: Tensor, wanted: Tensor) -> Tensor:
    """Solve level^p = wanted for p, with both clamped to [0.01, 0.99]."""
    return wanted.clamp(0.01, 0.99).log() / level.clamp(0.01, 0.99).log()


def add_infrared_noise(infrared: Tensor, white: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """y = x + white + columns + rows, (N, 1, H, W), (N, 1, 1, W) and (N, 1, H, 1)."""
    return (infrared + white + columns + rows).clamp(0.0, 1.0)
