"""Metrics of the fused image alone: contrast and sharpness, on the 0-255 scale; 0 of a flat image."""

from __future__ import annotations

import torch
from torch import Tensor

from .luma_input import luma_metric


@luma_metric()
def standard_deviation(fused: Tensor) -> Tensor:
    """Standard deviation SD = sqrt(mean((F - mean F)^2)) over all H W pixels (0 to 127.5).

    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178; population form.

    Args:
        fused: uint8 luma, an (H, W) array or a (B, H, W) tensor.

    Raises:
        ValueError: `fused` is not such an image.
    """
    image = fused.double()
    return (image - image.mean(dim=(1, 2), keepdim=True)).square_().mean(dim=(1, 2)).sqrt()


@luma_metric(minimum_side=2)
def spatial_frequency(fused: Tensor) -> Tensor:
    """Spatial frequency SF = sqrt(RF^2 + CF^2).

    RF^2 is the mean of (F(i, j) - F(i, j-1))^2 over the H (W-1) horizontal neighbours, CF^2 that of
    (F(i, j) - F(i-1, j))^2 over the (H-1) W vertical ones.
    Source: Eskicioglu, Fisher, IEEE Trans. Communications 43 (1995) 2959-2965.

    Args:
        fused: uint8 luma, an (H, W) array or a (B, H, W) tensor, of at least 2 x 2 pixels.

    Raises:
        ValueError: `fused` is not such an image.
    """
    image = fused.double()
    row, column = (image.diff(dim=dim).square_().mean(dim=(1, 2)) for dim in (2, 1))
    return (row + column).sqrt()


@luma_metric(minimum_side=2)
def average_gradient(fused: Tensor) -> Tensor:
    """Average gradient AG = sum sqrt((Gx^2 + Gy^2) / 2) / ((H-1) (W-1)) over all H W pixels.

    Gx and Gy are central differences, one-sided at the border. The divisor is one row and one column
    short of the sum, as in the evaluations published in the field.
    Source: Cui, Feng, Xu, Li, Chen, Optics Communications 341 (2015) 199-209.

    Args:
        fused: uint8 luma, an (H, W) array or a (B, H, W) tensor, of at least 2 x 2 pixels.

    Raises:
        ValueError: `fused` is not such an image.
    """
    image = fused.double()
    twice_vertical, twice_horizontal = _twice_gradient(image, 1), _twice_gradient(image, 2)
    magnitude = twice_horizontal.square_().add_(twice_vertical.square_()).div_(8).sqrt_()
    _, height, width = fused.shape
    return magnitude.sum(dim=(1, 2)) / ((height - 1) * (width - 1))


def _twice_gradient(images: Tensor, dim: int) -> Tensor:
    """Return the sum of the steps before and after each pixel; at the border, twice the only step."""
    steps = images.diff(dim=dim)
    before = torch.cat([steps.narrow(dim, 0, 1), steps], dim)
    return before.add_(torch.cat([steps, steps.narrow(dim, -1, 1)], dim))
