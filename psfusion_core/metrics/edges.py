"""Sobel edges, and how well a fused image keeps an edge of a source."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Edges(NamedTuple):
    """The edge at each pixel of a batch, (B, H, W) float64 each.

    Attributes:
        strength: Magnitude of the gradient.
        angle: Angle of the gradient in radians, from -pi/2 to pi/2.
    """

    strength: Tensor
    angle: Tensor


class Sigmoid(NamedTuple):
    """ceiling / (1 + e^(slope (x - midpoint)))."""

    ceiling: float
    slope: float
    midpoint: float


def sobel(images: Tensor, border: str) -> tuple[Tensor, Tensor]:
    """Return the Sobel derivatives across and down, (B, H, W) uint8 -> 2 x (B, H, W) float64.

    Args:
        images: The luma.
        border: "constant" for 0 beyond the border; "reflect" to mirror the image at its outermost pixels.
    """
    # 16 bits hold the sums, whole numbers up to 1020. Only floats can be mirrored on every device.
    padded = F.pad(images.float()[:, None], (1, 1, 1, 1), mode=border)[:, 0].short()
    pairs_down, pairs_across = padded[:, :-1] + padded[:, 1:], padded[:, :, :-1] + padded[:, :, 1:]
    smooth_down, smooth_across = (
        pairs_down[:, :-1] + pairs_down[:, 1:],
        pairs_across[:, :, :-1] + pairs_across[:, :, 1:],
    )
    across = smooth_down[:, :, 2:] - smooth_down[:, :, :-2]
    down = smooth_across[:, 2:] - smooth_across[:, :-2]
    return across.double(), down.double()


def magnitude(across: Tensor, down: Tensor) -> Tensor:
    """Return the length of the gradient."""
    return (across * across).add_(down * down).sqrt_()


def arctan(slope: Tensor) -> Tensor:
    """Return the angle of a slope, in its memory; on a CPU this is faster in doubles than `Tensor.atan`."""
    return slope.atan2_(slope.new_ones(()))


def strength_ratio(first: Tensor, second: Tensor) -> Tensor:
    """Return the lesser strength over the greater one, 0 if both are 0."""
    return (first.minimum(second) / first.maximum(second)).nan_to_num_(nan=0.0)


def preservation(ratio: Tensor, of_ratio: Sigmoid, alignment: Tensor, of_alignment: Sigmoid) -> Tensor:
    """Return the share of each edge that is kept: the product of both sigmoids."""
    return _sigmoid(ratio, *of_ratio).mul_(_sigmoid(alignment, *of_alignment))


def _sigmoid(value: Tensor, ceiling: float, slope: float, midpoint: float) -> Tensor:
    return ((value - midpoint) * -slope).sigmoid_().mul_(ceiling)
