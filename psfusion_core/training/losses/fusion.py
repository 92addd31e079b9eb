"""What the fused luma F should keep of the visible luma Y and the infrared image I.

All are (B, 1, H, W) in [0, 1].

Terms and names follow the paper (L_corr, L_grad, L_int); where ours differs, the docstring says so.
"""

from __future__ import annotations

import torch
from kornia.filters import spatial_gradient
from torch import Tensor

BACKGROUND_QUANTILE = 0.1
SCREEN_SHARE = 0.35


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation over the pixels of each image: (B, 1, H, W) twice -> (B,) in [-1, 1]."""
    a = a.flatten(1) - a.flatten(1).mean(dim=1, keepdim=True)
    b = b.flatten(1) - b.flatten(1).mean(dim=1, keepdim=True)
    norm = (a.square().sum(dim=1) * b.square().sum(dim=1)).clamp(min=1e-8).sqrt()
    return (a * b).sum(dim=1) / norm


def correlation_loss(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L_corr = 1 / (cc(Y, F) + cc(I, F)), the sum held above 0.1 where an image is nearly flat."""
    return (correlation(visible, fused) + correlation(infrared, fused)).clamp(min=0.1).reciprocal().mean()


def gradient_loss(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L_grad = |G F - strongest(G Y, G I)|, G the Sobel gradient in x and y, averaged.

    The paper compares magnitudes, |Sx F| with max(|Sx Y|, |Sx I|), which leaves the sign of an edge open;
    here the stronger source gradient is followed with its sign: edges cannot turn over into halos.
    """
    gradients = [
        spatial_gradient(image, mode="sobel", normalized=True) for image in (fused, visible, infrared)
    ]
    of_fused, of_visible, of_infrared = gradients
    strongest = torch.where(of_visible.abs() >= of_infrared.abs(), of_visible, of_infrared)
    return (of_fused - strongest).abs().mean()


def thermal_contrast(infrared: Tensor) -> Tensor:
    """Infrared above its background: (I - q) / (1 - q), at least 0, with q the 10th percentile of each image.

    Enhanced infrared (MSRS) has a dark background and hardly changes; that of other cameras does not, and
    would otherwise lie over the fused image like fog.
    """
    background = torch.quantile(infrared.flatten(1)[:, ::4], BACKGROUND_QUANTILE, dim=1).view(-1, 1, 1, 1)
    return ((infrared - background) / (1.0 - background).clamp(min=0.1)).clamp(min=0.0)


def intensity_target(visible: Tensor, infrared: Tensor) -> Tensor:
    """The brightness to reach: T = M + s m (1 - M), M and m the larger and smaller of Y and thermal contrast.

    s = 0 is the pixel-wise maximum (heat and light win, what lies under them is lost), s = 1 the screen blend
    1 - (1 - Y)(1 - I) (both show everywhere, contrast falls); s = SCREEN_SHARE lies between.
    """
    heat = thermal_contrast(infrared)
    larger, smaller = torch.maximum(visible, heat), torch.minimum(visible, heat)
    return larger + SCREEN_SHARE * smaller * (1.0 - larger)


def intensity_loss(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L_int = mean |F - T|, T from :func:`intensity_target`.

    The paper picks I where it is locally more varied or salient and Y elsewhere; a pick of whole windows
    leaves seams, and a squared difference weighs night scenes too little.
    """
    return (fused - intensity_target(visible, infrared)).abs().mean()
