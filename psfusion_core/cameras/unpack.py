"""Converts pixels of any encoding, on any device, to the networks' inputs.

Encodings are those of :data:`psfusion_core.cameras.encodings.PIXEL_FORMATS`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from psfusion_core.cameras.demosaic import demosaic
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.cameras.yuv import yuv422_to_rgb

LUMA_FACTORS = (9798, 19235, 3735)
"""Weights of red, green and blue in units of 1/32768 (ITU-R BT.601).

:func:`psfusion_core.models.luma.luma` cannot be used here, because an infrared image that was sent in colour
must become the same whole levels on every device.
"""


def visible_image(pixels: Tensor, encoding: str) -> Tensor:
    """Convert a visible camera's pixels.

    Args:
        pixels: (H, W) or (H, W, C), from :func:`psfusion_core.cameras.upload.upload`.
        encoding: ROS name of the pixel format. Grey is repeated over the three channels; for 16-bit
            grey, only the upper byte is used.

    Returns:
        (1, 3, H, W) float32 RGB in [0, 1].
    """
    return _rgb(pixels, encoding).float().div_(255.0).unsqueeze(0)


def intensity(pixels: Tensor, encoding: str) -> Tensor:
    """Convert a thermal camera's pixels: 16-bit counts, 8-bit levels, or the luma of colours.

    Args:
        pixels: (H, W) or (H, W, C), from :func:`psfusion_core.cameras.upload.upload`.
        encoding: ROS name of the pixel format.

    Returns:
        (H, W) float32, whole numbers from 0 to 65,535.
    """
    pixel = PIXEL_FORMATS[encoding]
    if pixels.dtype == torch.int16:
        return counts_of(pixels).float()
    if pixel.luma is not None:
        return pixels[..., pixel.luma].float()
    if not pixel.has_color:
        return pixels.float()
    red, green, blue = (
        plane * float(factor)
        for plane, factor in zip(_rgb(pixels, encoding).float(), LUMA_FACTORS, strict=True)
    )
    return (red + green + blue + 16384.0).mul_(1.0 / 32768.0).floor_()  # exact: less than 2^24


def grey_levels(intensities: Tensor, scale: GreyScale) -> Tensor:
    """Apply a thermal gain to a tensor. For arrays, `GreyScale.__call__` computes the same levels.

    Args:
        intensities: (H, W) float32, from :func:`intensity`.
        scale: The scale that the gain found for this image.

    Returns:
        (1, 1, H, W) float32 in [0, 1].
    """
    levels = (intensities - scale.black).mul_(scale.factor).clamp_(0.0, 255.0)
    if scale.inverts:
        levels = 255.0 - levels
    return levels.round_().div_(255.0)[None, None]


def counts_of(pixels: Tensor) -> Tensor:
    """Read int16 as uint16 (result int32); upload gives int16 because PyTorch has few uint16 operations."""
    return pixels.to(torch.int32).bitwise_and_(0xFFFF)


def _rgb(pixels: Tensor, encoding: str) -> Tensor:
    """(H, W) or (H, W, C) -> (3, H, W), whole numbers from 0 to 255."""
    pixel = PIXEL_FORMATS[encoding]
    if pixel.rgb is not None:
        return torch.stack([pixels[..., channel] for channel in pixel.rgb])
    if pixel.luma is not None:
        return yuv422_to_rgb(pixels, luma_first=pixel.luma == 0)
    if pixel.bayer is not None:
        return demosaic(pixels, pixel.bayer)
    levels = counts_of(pixels) >> 8 if pixels.dtype == torch.int16 else pixels
    return levels.expand(3, *levels.shape)
