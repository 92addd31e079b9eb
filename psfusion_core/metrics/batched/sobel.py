"""Sobel derivatives of a batch and what edge metrics make of two strengths."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def derivatives(images: Tensor, border: str) -> tuple[Tensor, Tensor]:
    """Return the Sobel derivatives across and down, (B, H, W) -> 2 x (B, H, W).

    Args:
        images: (B, H, W) floating point.
        border: "constant" for 0 beyond the border, "reflect" to mirror at the outermost pixels.
    """
    padded = F.pad(images.unsqueeze(1), (1, 1, 1, 1), mode=border).squeeze(1)
    step_across = padded[:, :, 2:] - padded[:, :, :-2]
    step_down = padded[:, 2:] - padded[:, :-2]
    across = step_across[:, :-2] + 2 * step_across[:, 1:-1] + step_across[:, 2:]
    down = step_down[:, :, :-2] + 2 * step_down[:, :, 1:-1] + step_down[:, :, 2:]
    return across, down


def strength_ratio(first: Tensor, second: Tensor) -> Tensor:
    """Return the lesser over the greater, 0 where both are 0."""
    greater = first.maximum(second)
    return (first.minimum(second) / greater).where(greater > 0, 0.0)
