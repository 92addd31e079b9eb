"""The objective of the PSFusion paper, for the fused luma F and the two reconstructions.

Tang, Zhang, Xu, Ma, "Rethinking the necessity of image fusion in high-level vision tasks", Information Fusion
99 (2023) 101870. Y is the visible luma and I the infrared image; all images are (B, 1, H, W) float in [0, 1]
and all losses scalars. Kernels are scaled as in the published training script, because the weights of the
terms were chosen for it. Borders differ: the script pads with black, which adds edges and variance that are
not in the image; here Sobel kernels repeat the border pixel, and windows end at the border.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d, spatial_gradient
from torch import Tensor

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.luma import luma
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.losses.luma_correlation import correlation_loss
from psfusion_core.training.losses.semantic import semantic_terms

WINDOW = 9
SIGMA = 1.5
LEAST_VARIANCE = 1e-6
SECOND_ORDER_SUMS = (64.0, 36.0, 64.0)


def magnitude_gradient_loss(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """L_grad = mean | max(|Sx Y|, |Sx I|) - |Sx F| | + the same in y.

    S is the 3x3 Sobel kernel with weights 1 and 2. It is not normalised: a step from 0 to 1 has magnitude 4.
    """
    of_fused, of_visible, of_infrared = (
        spatial_gradient(image, mode="sobel", normalized=False).abs() for image in (fused, visible, infrared)
    )
    differences = (torch.maximum(of_visible, of_infrared) - of_fused).abs()
    return differences.mean(dim=(0, 1, 3, 4)).sum()


def local_variance(image: Tensor) -> Tensor:
    """Variance around each pixel of (B, 1, H, W), weighted by a Gaussian of 9x9 pixels and sigma 1.5."""

    def blur(values: Tensor) -> Tensor:
        return gaussian_blur2d(values, (WINDOW, WINDOW), (SIGMA, SIGMA), border_type="constant")

    inside = blur(torch.ones_like(image[:1]))
    return blur(image.square()) / inside - (blur(image) / inside).square()


def window_intensity_loss(fused: Tensor, visible: Tensor, infrared: Tensor, salient: Tensor) -> Tensor:
    """L_int = mean over the pixels of d(F, I) where F should show I, and of d(F, Y) elsewhere.

    d is the mean squared difference over the 9x9 window around a pixel. F should show I where its
    :func:`local_variance` exceeds that of Y, or where ``salient`` is above 0. Variances that differ by less
    than 1e-6 (a quarter of a grey level, squared) count as equal, because in flat areas they differ by
    rounding.

    The published script swaps Y and I when it calls its L_int. This function follows the paper.

    Args:
        salient: (B, 1, H, W) in [0, 1], thermally salient objects.
    """
    more_varied = local_variance(infrared) > local_variance(visible) + LEAST_VARIANCE
    to_infrared, to_visible = (
        F.avg_pool2d((fused - image).square(), WINDOW, 1, WINDOW // 2, count_include_pad=False)
        for image in (infrared, visible)
    )
    return torch.where(more_varied | (salient > 0), to_infrared, to_visible).mean()


def second_order_magnitude(image: Tensor) -> Tensor:
    """|Sxx A| + |Sxy A| + |Syy A| of an image A: (B, 1, H, W) -> the same shape.

    The 5x5 Sobel kernels are products of (1, 4, 6, 4, 1), (-1, -2, 0, 2, 1) and (1, 0, -2, 0, 1), divided by
    the sum of their absolute weights: 64 for xx and yy, 36 for xy.
    """
    # The normalisation of the mixed derivative in kornia depends on its version.
    derivatives = spatial_gradient(image, mode="sobel", order=2, normalized=False)
    return (derivatives.abs() / derivatives.new_tensor(SECOND_ORDER_SUMS).view(3, 1, 1)).sum(dim=2)


def second_order_reconstruction_loss(reconstructed: Tensor, reference: Tensor) -> Tensor:
    """L_re = 5 mean |A - R| + 5 mean |m(A) - m(R)|, with m the :func:`second_order_magnitude`."""
    texture = second_order_magnitude(reconstructed) - second_order_magnitude(reference)
    return 5.0 * (reconstructed - reference).abs().mean() + 5.0 * texture.abs().mean()


def paper_terms(output: FusionOutput, batch: Batch) -> dict[str, Tensor]:
    """Compute every term of the paper's sum, unweighted, by name.

    The sum is 10 (semantic + binary + boundary) + correlation + 10 gradient + 10 intensity + reconstruction.
    """
    visible, infrared = luma(batch.visible), batch.infrared
    return {
        **semantic_terms(output, batch),
        "correlation": correlation_loss(output.fused, visible, infrared),
        "gradient": magnitude_gradient_loss(output.fused, visible, infrared),
        "intensity": window_intensity_loss(output.fused, visible, infrared, batch.salient),
        "reconstruction": second_order_reconstruction_loss(output.visible, visible)
        + second_order_reconstruction_loss(output.infrared, infrared),
    }
