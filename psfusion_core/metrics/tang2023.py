"""Protocol "tang2023": measures as the scripts of "tang2022" compute them since March 2023.

All images are doubles from 0 to 255 there; EN, SD, SF, AG, SCD, CC and VIF are those of the standard. MI with
its merged levels, MSE and PSNR with their scales, and MS-SSIM remain those of `tang2022`. No values have been
published with these scripts, so this protocol is not checked against any. FMI is left out as in `tang2022`.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .fusion_artefacts import nabf
from .luma_input import luma_metric
from .metric import Metric
from .structural_similarity import similarities
from .tang2022 import MEF_MS_SSIM, MERGED_MI, MIXED_PSNR, UNIT_MSE, rated_ties_qabf

_MARGIN = 5  # of the window of 11 x 11 pixels
_C1 = 0.01**2
_C2 = 0.03**2


@luma_metric()
def level_qabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """`rated_ties_qabf` of images from 0 to 255: equal edges that are not flat count as fully preserved.

    Raises:
        ValueError: As `qabf`.
    """
    return rated_ties_qabf(fused, visible, infrared, white=255.0)


@luma_metric()
def unit_range_ssim(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """SSIM with C1 = .01^2, C2 = .03^2 and borders: the mean over both sources of MATLAB's ssim of doubles.

    Differs from the standard in two ways. Doubles are assumed to span 0 to 1 although they go to 255, which
    makes both constants 65025 times too small. The mean is over the windows around all pixels; beyond the
    border the images repeat their outermost pixels.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    f, v, r = (
        F.pad(image.double(), (_MARGIN,) * 4, mode="replicate") for image in (fused, visible, infrared)
    )
    to_visible, to_infrared = (similarity for similarity, _ in similarities(f, [v, r], _C1, _C2))
    return (to_visible + to_infrared) / 2


@luma_metric(minimum_side=2)
def exchanged_nabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """`nabf` with the fused and the infrared image exchanged.

    The scripts pass their images in another order than the function takes them. The value says how much
    stronger edges are in the infrared image than in the visible and the fused one.

    Raises:
        ValueError: As `nabf`.
    """
    return nabf(infrared, visible, fused)


#: The metrics that differ from the standard's.
DEVIATIONS = (
    MERGED_MI,
    Metric("Qabf", "edge preservation, equal edges preserved", level_qabf),
    Metric("SSIM", "structural similarity for the range 0-1", unit_range_ssim),
    MEF_MS_SSIM,
    Metric("Nabf", "fused and infrared image exchanged", exchanged_nabf, larger_is_better=False),
    MIXED_PSNR,
    UNIT_MSE,
)
