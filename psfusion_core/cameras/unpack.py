"""Pixels of any encoding, on any device, to what the networks see.

Encodings are those of :data:`psfusion_core.cameras.encodings.PIXEL_FORMATS`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from psfusion_core.cameras.demosaic import demosaic
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.cameras.yuv import yuv422_to_rgb

RED_GREEN_BLUE = {"rgb8": (0, 1, 2), "rgba8": (0, 1, 2), "bgr8": (2, 1, 0), "bgra8": (2, 1, 0)}
"""Where a pixel has its colours."""

LUMA_FIRST = {"yuv422": False, "uyvy": False, "yuv422_yuy2": True, "yuyv": True}

LUMA_FACTORS = (9798, 19235, 3735)
"""Of red, green and blue, in 1 / 32768: ITU-R BT.601."""


def visible_image(pixels: Tensor, encoding: str) -> Tensor:
    """Convert a visible camera's pixels.

    Args:
        pixels: (H, W) or (H, W, C), as :func:`psfusion_core.cameras.upload.upload` gives them.
        encoding: their ROS name. Grey is repeated over the three channels, of 16 bits the upper byte.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1].
    """
    if pixels.dtype == torch.int16:
        pixels = counts_of(pixels) >> 8
    color = _rgb(pixels, encoding) if _has_color(encoding) else pixels.expand(3, *pixels.shape)
    return color.float().div_(255.0).unsqueeze(0)


def intensity(pixels: Tensor, encoding: str) -> Tensor:
    """Convert a thermal camera's pixels: counts of 16 bits, levels of 8, of colours their luma.

    Args:
        pixels: (H, W) or (H, W, C), as :func:`psfusion_core.cameras.upload.upload` gives them.
        encoding: their ROS name.

    Returns:
        (H, W) float32, whole numbers from 0 to 65,535.
    """
    if pixels.dtype == torch.int16:
        return counts_of(pixels).float()
    if encoding in LUMA_FIRST:
        return pixels[..., 0 if LUMA_FIRST[encoding] else 1].float()
    if not _has_color(encoding):
        return pixels.float()
    red, green, blue = (
        plane * float(factor)
        for plane, factor in zip(_rgb(pixels, encoding).float(), LUMA_FACTORS, strict=True)
    )
    return (red + green + blue + 16384.0).mul_(1.0 / 32768.0).floor_()  # exact: less than 2^24


def grey_levels(intensities: Tensor, scale: GreyScale) -> Tensor:
    """Apply a thermal gain, to the same whole levels that it gives on the host.

    Args:
        intensities: (H, W) float32, see :func:`intensity`.
        scale: of the gain.

    Returns:
        (1, 1, H, W) float32 in [0, 1].
    """
    levels = (intensities - scale.black).mul_(scale.factor).clamp_(0.0, 255.0)
    if scale.inverts:
        levels = 255.0 - levels
    return levels.round_().div_(255.0)[None, None]


def counts_of(pixels: Tensor) -> Tensor:
    """Read int16 as the uint16 that it was: int32."""
    return pixels.to(torch.int32).bitwise_and_(0xFFFF)


def _has_color(encoding: str) -> bool:
    return encoding in RED_GREEN_BLUE or encoding in LUMA_FIRST or encoding.startswith("bayer_")


def _rgb(pixels: Tensor, encoding: str) -> Tensor:
    """(H, W, C), or (H, W) of a mosaic -> (3, H, W), uint8."""
    if encoding in RED_GREEN_BLUE:
        return torch.stack([pixels[..., channel] for channel in RED_GREEN_BLUE[encoding]])
    if encoding in LUMA_FIRST:
        return yuv422_to_rgb(pixels, LUMA_FIRST[encoding])
    return demosaic(pixels, encoding[len("bayer_") : len("bayer_") + 4])
