"""Luma as the paper uses it: full-range ITU-R BT.601, Y = .299 R + .587 G + .114 B, of tensors in [0, 1].

`psfusion_core.cameras.unpack` (an infrared image that was sent in colour) and
`psfusion_core.metrics.luma_input` (images to measure) have their own, because they need exact whole levels.
"""

from __future__ import annotations

from kornia.color import rgb_to_grayscale
from torch import Tensor


def luma(rgb: Tensor) -> Tensor:
    """Return the luma (B, 1, H, W) of an RGB image (B, 3, H, W), both in [0, 1]."""
    return rgb_to_grayscale(rgb)
