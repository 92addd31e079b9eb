"""Protocol "tang2022": measures as the scripts behind many tables of 2022 and 2023 computed them.

The MATLAB scripts "Evaluation-for-Image-Fusion" (L. Tang; also in "Image-Fusion") went round from January
2022 and were changed to the 0-255 scale in March 2023. They compute with 8-bit images, where MATLAB
saturates, and with images on [0, 1] elsewhere, which gives SD near 9 and SF near .05 for images whose
standard SD is near 40 and SF near 12. EN, AG, CC and SCD are those of the standard. The values published with
the scripts, of nine methods on 42 pairs of TNO, are reproduced: EN, SD, SF, AG, MI, SCD, CC, Qabf, PSNR and
MSE to 1e-11, VIF to 1e-5. They hold no values to check Nabf, SSIM and MS-SSIM against; the latter two are
measures of exposure fusion, `mef_ssim` and `multi_scale_mef_ssim`.

Where the scripts divide nothing by nothing (flat images), these functions return the standard's value. FMI is
left out, as it rests on MATLAB's edge detector and wavelets.
"""

from __future__ import annotations

import math

import numpy as np

from .contrast import spatial_frequency
from .edge_preservation import ANGLE, STRENGTH, sigmoid
from .error_level import mse, psnr
from .exposure_fusion import mef_ssim, multi_scale_mef_ssim
from .fusion_artefacts import artefacts
from .gaussian_window import windowed_mean
from .information import shannon_entropy
from .luma_input import FloatImage, LumaImage, check_luma
from .metric import Metric
from .visual_fidelity import WINDOWS, information_available, information_kept

_WHITE = 255


def saturated_deviation(fused: LumaImage) -> float:
    """SD of 8-bit arithmetic: sqrt(mean(min(max(round(F - mean F), 0)^2, 255))), 0 to 16.

    Differs from the standard in that pixels under the mean count as 0, and others by at most sqrt(255).

    Args:
        fused: (H, W) uint8 luma.

    Raises:
        ValueError: `fused` is not such an image.
    """
    check_luma("saturated_deviation", fused=fused)
    above = np.floor(np.maximum(fused - fused.mean(), 0) + 0.5)
    return float(np.sqrt(np.mean(np.minimum(above * above, _WHITE))))


def unit_spatial_frequency(fused: LumaImage) -> float:
    """SF of images on [0, 1]: the standard's divided by 255.

    Raises:
        ValueError: as `spatial_frequency`.
    """
    return spatial_frequency(fused) / _WHITE


def merged_mutual_information(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """MI whose joint histograms count level 255 as 254, while H(F), H(V) and H(R) keep them apart.

    The 8-bit index level + 1 saturates. H(F, V) and H(F, R) come out too small, so MI too large where images
    have pixels of both levels: saturated lamps, hot infrared.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("merged_mutual_information", fused=fused, visible=visible, infrared=infrared)
    return sum(_merged_information(fused, source) for source in (visible, infrared))


def _merged_information(fused: LumaImage, source: LumaImage) -> float:
    separate = sum(shannon_entropy(np.bincount(image.ravel(), minlength=256)) for image in (fused, source))
    f, s = (np.minimum(image, _WHITE - 1).astype(np.intp).ravel() for image in (fused, source))
    return separate - shannon_entropy(np.bincount(f * 256 + s, minlength=65536))


def saturated_vif(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """VIF whose products S^2, F^2 and S F saturate at 255 at the finest scale.

    There the variances of all windows but the darkest come out negative and count as 0, so that in effect
    the finest scale is left out. The other scales are those of the standard.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 17.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("saturated_vif", minimum_side=WINDOWS[0], fused=fused, visible=visible, infrared=infrared)
    return sum(_saturated_fidelity(source, fused) for source in (visible, infrared))


def _saturated_fidelity(source: LumaImage, fused: LumaImage) -> float:
    s, f = source.astype(np.float64), fused.astype(np.float64)
    largest_product = float(_WHITE)
    kept = available = 0.0
    for scale, size in enumerate(WINDOWS):
        if scale > 0 and min(f.shape) >= size:
            s, f = (windowed_mean(image, size, size / 5)[::2, ::2] for image in (s, f))
            largest_product = math.inf
        if min(f.shape) < size:
            break
        mean_s, mean_f = (windowed_mean(image, size, size / 5) for image in (s, f))
        products = (np.minimum(product, largest_product) for product in (s * s, f * f, s * f))
        power_s, power_f, cross = (windowed_mean(product, size, size / 5) for product in products)
        variance = power_s - mean_s * mean_s
        kept += information_kept(variance, power_f - mean_f * mean_f, cross - mean_s * mean_f)
        available += information_available(variance)
    return kept / available if available > 0 else 0.0


_DOWN = ((1, 2, 1), (0, 0, 0), (-1, -2, -1))
_ACROSS = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))


def rated_ties_qabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage, white: float) -> float:
    """Qabf of images with levels from 0 to `white`, equal edges rated by their strength.

    Differs from the standard in two ways. Where g_S = g_F, G is g_F in place of 1: on the 0-1 scale an edge
    kept exactly counts as mostly lost, and fusion by selection of pixels rates low. Horizontal derivatives
    have the other sign, while angles where they are 0 keep pi/2: it matters where only one of s_x, f_x is 0.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.
        white: what level 255 counts as.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("rated_ties_qabf", fused=fused, visible=visible, infrared=infrared)
    strength_fused, angle_fused = _edges(fused, white)
    kept = total = 0.0
    for source in (visible, infrared):
        strength, angle = _edges(source, white)
        larger, smaller = np.maximum(strength, strength_fused), np.minimum(strength, strength_fused)
        ratio = np.where(larger == smaller, larger, smaller / np.where(larger > 0, larger, 1))
        alignment = 1 - np.abs(angle - angle_fused) / (np.pi / 2)
        kept += float(np.sum(sigmoid(ratio, *STRENGTH) * sigmoid(alignment, *ANGLE) * strength))
        total += float(np.sum(strength))
    return kept / total if total > 0 else 0.0


def unit_qabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """`rated_ties_qabf` of images on [0, 1].

    There s_x = 0 and g_S = g_F are asked of sums of rounded levels / 255, so that the value depends on the
    order of these sums: column after column of the flipped kernel.

    Raises:
        ValueError: as `rated_ties_qabf`.
    """
    return rated_ties_qabf(fused, visible, infrared, white=1.0)


def _edges(image: LumaImage, white: float) -> tuple[FloatImage, FloatImage]:
    padded = np.pad(image / _WHITE * white, 1)
    across, down = (_convolved(padded, kernel) for kernel in (_ACROSS, _DOWN))
    vertical = across == 0
    angle = np.where(vertical, np.pi / 2, np.arctan(down / np.where(vertical, 1, across)))
    return np.sqrt(across * across + down * down), angle


def _convolved(padded: FloatImage, kernel: tuple[tuple[int, ...], ...]) -> FloatImage:
    height, width = (side - 2 for side in padded.shape)
    total = np.zeros((height, width))
    for column in range(3):
        for row in range(3):
            part = padded[2 - row : 2 - row + height, 2 - column : 2 - column + width]
            total = total + kernel[row][column] * part
    return total


def unit_nabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Nabf of images on [0, 1]: no edge reaches the strength 2, so every pixel has the weight .001.

    Raises:
        ValueError: as `nabf`.
    """
    check_luma("unit_nabf", minimum_side=2, fused=fused, visible=visible, infrared=infrared)
    return artefacts(fused, visible, infrared, visible_edge=math.inf)


def unit_mse(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """MSE of images on [0, 1]: the standard's divided by 255^2.

    Raises:
        ValueError: as `mse`.
    """
    return mse(fused, visible, infrared) / _WHITE**2


def mixed_psnr(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """PSNR of a peak of 255 over an error on [0, 1]: the standard's plus 20 log10(255) = 48.13 dB.

    Raises:
        ValueError: as `psnr`.
    """
    return psnr(fused, visible, infrared) + 20 * math.log10(_WHITE)


MERGED_MI = Metric("MI", "mutual information, levels 254 and 255 merged", merged_mutual_information)
MEF_MS_SSIM = Metric("MS-SSIM", "MEF-SSIM at three scales", multi_scale_mef_ssim)
MIXED_PSNR = Metric("PSNR", "peak 255 over an error on the 0-1 scale, dB", mixed_psnr)
UNIT_MSE = Metric("MSE", "mean squared error, 0-1 scale", unit_mse, larger_is_better=False)

#: The metrics that differ from the standard's.
DEVIATIONS = (
    Metric.of_fused_alone("SD", "standard deviation in saturating 8 bits", saturated_deviation),
    Metric.of_fused_alone("SF", "spatial frequency, 0-1 scale", unit_spatial_frequency),
    MERGED_MI,
    Metric("VIF", "visual information fidelity, finest scale saturated", saturated_vif),
    Metric("Qabf", "edge preservation, 0-1 scale", unit_qabf),
    Metric("SSIM", "MEF-SSIM, to the best patch of both sources", mef_ssim),
    MEF_MS_SSIM,
    Metric("Nabf", "fusion artefacts without weights", unit_nabf, larger_is_better=False),
    MIXED_PSNR,
    UNIT_MSE,
)
