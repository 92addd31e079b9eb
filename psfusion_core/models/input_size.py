"""The size of a network's inputs: a check that it is a multiple, and padding to that multiple."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(image: Tensor, size_multiple: int) -> Tensor:
    """Pad (B, C, H, W) to the next multiple by repeating the last row and column."""
    height, width = image.shape[-2:]
    bottom, right = -height % size_multiple, -width % size_multiple
    return F.pad(image, (0, right, 0, bottom), mode="replicate") if bottom or right else image


def check_inputs(visible: Tensor, infrared: Tensor, size_multiple: int) -> None:
    """Raise ValueError unless shapes are (B, 3, H, W) and (B, 1, H, W), in multiples of `size_multiple`."""
    batch, _, height, width = visible.shape if visible.dim() == 4 else (0, 0, 0, 0)
    if visible.shape != (batch, 3, height, width) or infrared.shape != (batch, 1, height, width):
        raise ValueError(
            "expected visible (B, 3, H, W) and infrared (B, 1, H, W), got "
            f"{tuple(visible.shape)} and {tuple(infrared.shape)}: bring both to one size"
        )
    if height % size_multiple or width % size_multiple:
        padded = [-(-side // size_multiple) * size_multiple for side in (height, width)]
        raise ValueError(
            f"expected height and width in multiples of {size_multiple}, got {height} x {width}: "
            f"pad both images to {padded[0]} x {padded[1]} and crop the outputs (Fuser does)"
        )
