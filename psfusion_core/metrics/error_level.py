"""Squared differences of a fused image to its sources."""

from __future__ import annotations

from torch import Tensor

from .luma_input import luma_metric

_PEAK = 255.0


@luma_metric()
def mse(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Mean squared error MSE = (mse(F, V) + mse(F, R)) / 2, 0 to 65025; smaller is better.

    mse(A, B) = mean((A - B)^2) over all H W pixels, on the 0-255 scale; divide by 255^2 for the [0, 1] scale.
    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f = fused.double()
    to_visible, to_infrared = (
        source.double().sub_(f).square_().mean(dim=(1, 2)) for source in (visible, infrared)
    )
    return (to_visible + to_infrared) / 2


@luma_metric()
def psnr(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Peak signal-to-noise ratio PSNR = 10 log10(255^2 / MSE) in dB, MSE the mean over both sources.

    The mean is of the errors, not of two ratios, so that a fused image equal to one of two sources has a
    finite value. Three equal images have no error: the value is then that of an error of half a grey level in
    a single one of the 2 H W pixels, 10 log10(255^2 * 8 H W).
    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    least = 1 / (8 * fused[0].numel())
    return 10 * (_PEAK**2 / mse(fused, visible, infrared).clamp(min=least)).log10()
