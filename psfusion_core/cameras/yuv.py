"""Converts YUV 4:2:2 to RGB."""

from __future__ import annotations

import torch
from torch import Tensor

SHIFT = 20
"""Binary digits after the point of the factors below."""

LUMA, RED_OF_V, GREEN_OF_U, GREEN_OF_V, BLUE_OF_U = 1220542, 1673527, -409993, -852492, 2116026
"""ITU-R BT.601 of the studio range (Y 16 to 235, U and V 16 to 240): 1.164, 1.596, -.391, -.813, 2.018."""


def yuv422_to_rgb(pixels: Tensor, luma_first: bool) -> Tensor:
    """Convert to RGB, rounded as OpenCV does; two pixels beside each other share U and V.

    Args:
        pixels: (H, W, 2) uint8, W even: each pixel's Y, and U or V in turn.
        luma_first: Y comes before U or V (YUYV); otherwise it comes after (UYVY).

    Returns:
        (3, H, W) uint8 RGB.
    """
    y, chroma = (pixels[..., 0], pixels[..., 1]) if luma_first else (pixels[..., 1], pixels[..., 0])
    luma = (y.to(torch.int32) - 16).clamp_(min=0).mul_(LUMA).add_(1 << (SHIFT - 1))
    u, v = (chroma[:, first::2].to(torch.int32) - 128 for first in (0, 1))
    added = torch.stack([RED_OF_V * v, GREEN_OF_U * u + GREEN_OF_V * v, BLUE_OF_U * u])
    rgb = luma.unflatten(1, (-1, 2)) + added.unsqueeze(-1)
    return (rgb >> SHIFT).clamp_(0, 255).to(torch.uint8).flatten(2)
