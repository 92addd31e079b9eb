"""Our objective: the fused luma F follows a pixel-wise blend of visible luma Y and infrared image I.

All images are (B, 1, H, W) in [0, 1]. The docstrings explain the differences from the paper's objective.
"""

from __future__ import annotations

import torch
from kornia.filters import guided_blur, spatial_gradient
from torch import Tensor

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.luma import luma
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.losses.luma_correlation import correlation_loss
from psfusion_core.training.losses.semantic import semantic_terms

BACKGROUND_QUANTILE = 0.1
WARM_MEDIANS = (0.5, 0.7)
OVERLAP = 0.3
CONTRAST_GAIN = 0.45
CONTRAST_WINDOW = 9
CONTRAST_EDGE = 0.003
NOISE = 0.008


def thermal_contrast(infrared: Tensor) -> Tensor:
    """Infrared above its background: (I - q) / (1 - q), at least 0, with q the background of each image.

    q is the 10th percentile. Enhanced infrared (MSRS) has a dark background and hardly changes. The infrared
    of other cameras has a grey background, which would cover the fused image like fog. By day the 10th
    percentile can be cold sky while the rest is warm, so q moves from the 10th percentile to the median as
    the median goes from 0.5 to 0.7.
    """
    quantiles = infrared.new_tensor([BACKGROUND_QUANTILE, 0.5])
    low, median = torch.quantile(infrared.flatten(1)[:, ::4], quantiles, dim=1).view(2, -1, 1, 1, 1)
    start, end = WARM_MEDIANS
    background = torch.lerp(low, median, ((median - start) / (end - start)).clamp(0.0, 1.0))
    return ((infrared - background) / (1.0 - background).clamp(min=0.1)).clamp(min=0.0)


def raise_local_contrast(image: Tensor) -> Tensor:
    """T' = T + k d^3 / (d^2 + n^2), d = T - G(T), G the guided filter of T by itself.

    The guided filter (He, Sun, Tang, 2010; window 9, eps 0.003) keeps edges, so the raised detail makes no
    halos. Detail fainter than n = 0.008 is mostly noise and stays unchanged.
    """
    detail = image - guided_blur(image, image, CONTRAST_WINDOW, CONTRAST_EDGE)
    power = detail.square()
    return (image + CONTRAST_GAIN * detail * power / (power + NOISE**2)).clamp(0.0, 1.0)


def blend_target(visible: Tensor, infrared: Tensor) -> Tensor:
    """The image to reach: T = M + s m (1 - M) with local contrast raised.

    M and m are the larger and the smaller of Y and thermal contrast. s = 0 is the pixel-wise maximum, which
    loses the darker image. s = 1 is the screen blend 1 - (1 - Y)(1 - I), which shows both images but lowers
    contrast. s = OVERLAP lies between.
    """
    heat = thermal_contrast(infrared)
    larger, smaller = torch.maximum(visible, heat), torch.minimum(visible, heat)
    return raise_local_contrast(larger + OVERLAP * smaller * (1.0 - larger))


def intensity_loss(fused: Tensor, target: Tensor) -> Tensor:
    """L_int = mean |F - T|, T from :func:`blend_target`.

    The paper chooses I where it is salient or varies more locally, and Y elsewhere. That choice leaves seams
    between windows, and its squared difference gives night scenes too little weight.
    """
    return (fused - target).abs().mean()


def sobel(image: Tensor) -> Tensor:
    """First derivatives in x and y, per pixel: (B, 1, H, W) -> (B, 1, 2, H, W)."""
    return spatial_gradient(image, mode="sobel", normalized=True)


def gradient_loss(fused: Tensor, target: Tensor) -> Tensor:
    """L_grad = mean |S F - S T|, S the Sobel gradient in x and y with its sign.

    The paper compares the magnitude with the larger one of both images. That leaves the sign of an edge open,
    and asks for edges that contradict L_int. T has the edges of both images.
    """
    return (sobel(fused) - sobel(target)).abs().mean()


def reconstruction_loss(reconstructed: Tensor, reference: Tensor) -> Tensor:
    """L_re = 5 mean |a - r| + 5 mean |S a - S r|; the paper uses second-order gradient magnitudes."""
    return 5.0 * intensity_loss(reconstructed, reference) + 5.0 * gradient_loss(reconstructed, reference)


def blend_terms(output: FusionOutput, batch: Batch) -> dict[str, Tensor]:
    """Compute every term, unweighted, by its name in ``LossConfig``."""
    visible, infrared = luma(batch.visible), batch.infrared
    target = blend_target(visible, infrared)
    return {
        **semantic_terms(output, batch),
        "correlation": correlation_loss(output.fused, visible, infrared),
        "gradient": gradient_loss(output.fused, target),
        "intensity": intensity_loss(output.fused, target),
        "reconstruction": reconstruction_loss(output.visible, visible)
        + reconstruction_loss(output.infrared, infrared),
    }
