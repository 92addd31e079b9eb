"""Metrics of the fused image alone: contrast and sharpness, on the 0-255 scale; 0 of a flat image."""

from __future__ import annotations

import numpy as np

from .luma_input import LumaImage, check_luma


def standard_deviation(fused: LumaImage) -> float:
    """Standard deviation SD = sqrt(mean((F - mean F)^2)) over all H W pixels (0 to 127.5).

    Source: Ma, Ma, Li, Information Fusion 45 (2019) 153-178; population form.

    Args:
        fused: (H, W) uint8 luma.

    Raises:
        ValueError: `fused` is not such an image.
    """
    check_luma("standard_deviation", fused=fused)
    return float(np.std(fused, dtype=np.float64))


def spatial_frequency(fused: LumaImage) -> float:
    """Spatial frequency SF = sqrt(RF^2 + CF^2).

    RF^2 is the mean of (F(i, j) - F(i, j-1))^2 over the H (W-1) horizontal neighbours, CF^2 that of
    (F(i, j) - F(i-1, j))^2 over the (H-1) W vertical ones.
    Source: Eskicioglu, Fisher, IEEE Trans. Communications 43 (1995) 2959-2965.

    Args:
        fused: (H, W) uint8 luma, H and W at least 2.

    Raises:
        ValueError: `fused` is not such an image.
    """
    check_luma("spatial_frequency", minimum_side=2, fused=fused)
    image = fused.astype(np.float64)
    row_frequency = np.mean(np.diff(image, axis=1) ** 2)
    column_frequency = np.mean(np.diff(image, axis=0) ** 2)
    return float(np.sqrt(row_frequency + column_frequency))


def average_gradient(fused: LumaImage) -> float:
    """Average gradient AG = sum sqrt((Gx^2 + Gy^2) / 2) / ((H-1) (W-1)) over all H W pixels.

    Gx and Gy are central differences, one-sided at the border. The divisor is one row and one column
    short of the sum, as in the evaluations published in the field.
    Source: Cui, Feng, Xu, Li, Chen, Optics Communications 341 (2015) 199-209.

    Args:
        fused: (H, W) uint8 luma, H and W at least 2.

    Raises:
        ValueError: `fused` is not such an image.
    """
    check_luma("average_gradient", minimum_side=2, fused=fused)
    vertical, horizontal = np.gradient(fused.astype(np.float64))
    height, width = fused.shape
    magnitude = np.sqrt((horizontal**2 + vertical**2) / 2)
    return float(magnitude.sum() / ((height - 1) * (width - 1)))
