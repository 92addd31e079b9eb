"""Luma and chroma as the paper uses them (full-range ITU-R BT.601).

Y = .299 R + .587 G + .114 B, and the chroma is R - Y and B - Y, each times a factor that the way back undoes.
"""

from __future__ import annotations

from kornia.color import rgb_to_grayscale
from torch import Tensor


def luma(rgb: Tensor) -> Tensor:
    """Return the luma (B, 1, H, W) of an RGB image (B, 3, H, W), both in [0, 1]."""
    return rgb_to_grayscale(rgb)


def replace_luma(rgb: Tensor, new_luma: Tensor) -> Tensor:
    """Give an RGB image another luma and keep its chroma.

    Args:
        rgb: (B, 3, H, W) in [0, 1], the source of the chroma.
        new_luma: (B, 1, H, W) in [0, 1].

    Returns:
        (B, 3, H, W) RGB clamped to [0, 1].
    """
    # One difference added to all three leaves R - Y and B - Y as they are.
    return (rgb + (new_luma - luma(rgb))).clamp_(0.0, 1.0)
