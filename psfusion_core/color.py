"""Luma and chroma as the paper uses them (full-range ITU-R BT.601).

Y = .299 R + .587 G + .114 B, Cr = .713 (R - Y) + .5, Cb = .564 (B - Y) + .5. kornia's coefficients agree
within 5e-4, an eighth of a grey level.
"""

from __future__ import annotations

import torch
from kornia.color import rgb_to_grayscale, rgb_to_ycbcr, ycbcr_to_rgb
from torch import Tensor


def luma(rgb: Tensor) -> Tensor:
    """Return the luma (B, 1, H, W) of an RGB image (B, 3, H, W), both in [0, 1]."""
    return rgb_to_grayscale(rgb)


def replace_luma(rgb: Tensor, new_luma: Tensor) -> Tensor:
    """Give an RGB image another luma and keep its chroma.

    Args:
        rgb: (B, 3, H, W) in [0, 1], the source of Cb and Cr.
        new_luma: (B, 1, H, W) in [0, 1].

    Returns:
        (B, 3, H, W) RGB clamped to [0, 1].
    """
    chroma = rgb_to_ycbcr(rgb)[:, 1:]
    return ycbcr_to_rgb(torch.cat([new_luma, chroma], dim=1)).clamp(0.0, 1.0)
