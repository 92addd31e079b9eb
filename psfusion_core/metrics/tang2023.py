"""Protocol "tang2023": measures as the scripts of "tang2022" compute them since March 2023.

All images are doubles from 0 to 255 then; EN, SD, SF, AG, SCD, CC and VIF are those of the standard. MI with
its merged levels, MSE and PSNR with their scales, and MS-SSIM remain those of `tang2022`. No values have been
published with these scripts: this protocol is not checked against any. FMI is left out as in `tang2022`.
"""

from __future__ import annotations

import cv2
import numpy as np

from .fusion_artefacts import nabf
from .luma_input import FloatImage, LumaImage, check_luma
from .metric import Metric
from .tang2022 import MEF_MS_SSIM, MERGED_MI, MIXED_PSNR, UNIT_MSE, rated_ties_qabf

_SIZE = 11
_SIGMA = 1.5
_C1 = 0.01**2
_C2 = 0.03**2


def level_qabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """`rated_ties_qabf` of images from 0 to 255: equal edges that are not flat count as fully preserved.

    Raises:
        ValueError: as `rated_ties_qabf`.
    """
    return rated_ties_qabf(fused, visible, infrared, white=255.0)


def unit_range_ssim(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """SSIM with C1 = .01^2, C2 = .03^2 and borders: the mean over both sources of MATLAB's ssim of doubles.

    Differs from the standard in that doubles are taken to span 0 to 1 though they go to 255, which makes both
    constants 65025 times too small, and in that the mean is over a window round every pixel, the images going
    on beyond their border with the outermost pixels.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("unit_range_ssim", fused=fused, visible=visible, infrared=infrared)
    f, v, r = (image.astype(np.float64) for image in (fused, visible, infrared))
    return (_similarity(f, v) + _similarity(f, r)) / 2


def _similarity(fused: FloatImage, source: FloatImage) -> float:
    mean_f, mean_s = _mean(fused), _mean(source)
    squares = mean_f * mean_f + mean_s * mean_s
    variances = _mean(fused * fused) + _mean(source * source) - squares
    covariance = _mean(fused * source) - mean_f * mean_s
    luminance = (2 * mean_f * mean_s + _C1) / (squares + _C1)
    return float(np.mean(luminance * (2 * covariance + _C2) / (variances + _C2)))


def _mean(image: FloatImage) -> FloatImage:
    return np.asarray(
        cv2.GaussianBlur(image, (_SIZE, _SIZE), _SIGMA, borderType=cv2.BORDER_REPLICATE), np.float64
    )


def exchanged_nabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """`nabf` with the fused and the infrared image in each other's place.

    The scripts hand their images over in another order than the function takes them. The value says how much
    stronger edges are in the infrared image than in the visible and the fused one.

    Raises:
        ValueError: as `nabf`.
    """
    check_luma("exchanged_nabf", minimum_side=2, fused=fused, visible=visible, infrared=infrared)
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
