"""Protocol "tang2022": measures as the scripts behind many tables of 2022 and 2023 computed them.

The MATLAB scripts "Evaluation-for-Image-Fusion" (L. Tang; also in "Image-Fusion") circulated from January
2022 and were changed to the 0-255 scale in March 2023. They compute with 8-bit images, where MATLAB
saturates, and with images on [0, 1] elsewhere, which gives SD near 9 and SF near .05 for images whose
standard SD is near 40 and SF near 12. EN, AG, CC and SCD are those of the standard. The values published with
the scripts, of nine methods on 42 pairs of TNO, are reproduced: EN, SD, SF, AG, MI, SCD, CC, Qabf, PSNR and
MSE to 1e-11, VIF to 1e-5. They hold no values to check Nabf, SSIM and MS-SSIM against; the latter two are
measures of exposure fusion, `mef_ssim` and `multi_scale_mef_ssim`.

If the scripts divide 0 by 0 (flat images), these functions return the standard's value. FMI is
left out, because it rests on MATLAB's edge detector and wavelets.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .contrast import spatial_frequency
from .edge_preservation import angle, share_kept
from .edges import Edges
from .error_level import mse, psnr
from .exposure_fusion import mef_ssim, multi_scale_mef_ssim
from .fusion_artefacts import artefacts
from .information import histogram, joint_histogram, shannon_entropy
from .luma_input import luma_metric
from .metric import Metric
from .visual_fidelity import WINDOWS, fidelity

_WHITE = 255


@luma_metric()
def saturated_deviation(fused: Tensor) -> Tensor:
    """SD of 8-bit arithmetic: sqrt(mean(min(max(round(F - mean F), 0)^2, 255))), 0 to 16.

    Unlike in the standard, pixels below the mean count as 0, and others by at most sqrt(255).

    Args:
        fused: uint8 luma, an (H, W) array or a (B, H, W) tensor.

    Raises:
        ValueError: `fused` is not such an image.
    """
    image = fused.double()
    above = image.sub_(image.mean(dim=(1, 2), keepdim=True)).clamp_(min=0).add_(0.5).floor_()
    return above.square_().clamp_(max=_WHITE).mean(dim=(1, 2)).sqrt()


@luma_metric(minimum_side=2)
def unit_spatial_frequency(fused: Tensor) -> Tensor:
    """SF of images on [0, 1]: the standard's divided by 255.

    Raises:
        ValueError: As `spatial_frequency`.
    """
    return spatial_frequency(fused) / _WHITE


@luma_metric()
def merged_mutual_information(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MI whose joint histograms count level 255 as 254, while H(F), H(V) and H(R) keep them apart.

    The 8-bit index level + 1 saturates. H(F, V) and H(F, R) become too small, so MI too large, if images have
    pixels of both levels: saturated lamps, hot infrared.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    return _merged_information(fused, visible) + _merged_information(fused, infrared)


def _merged_information(fused: Tensor, source: Tensor) -> Tensor:
    separate = shannon_entropy(histogram(fused)) + shannon_entropy(histogram(source))
    merged = joint_histogram(*(image.clamp(max=_WHITE - 1) for image in (fused, source)))
    return separate - shannon_entropy(merged)


@luma_metric(minimum_side=WINDOWS[0])
def saturated_vif(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """VIF whose products S^2, F^2 and S F saturate at 255 at the finest scale.

    There the variances of all windows except the darkest are negative and count as 0, so that in effect the
    finest scale is left out. The other scales are those of the standard.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 17 x 17 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    images = (image.double() for image in (fused, visible, infrared))
    return fidelity(images, largest_product=_WHITE)


_DOWN = ((1, 2, 1), (0, 0, 0), (-1, -2, -1))
_ACROSS = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))


def rated_ties_qabf(fused: Tensor, visible: Tensor, infrared: Tensor, white: float) -> Tensor:
    """Qabf of images with levels from 0 to `white`, equal edges rated by their strength.

    Differs from the standard in two ways. Where g_S = g_F, G is g_F instead of 1: on the 0-1 scale an edge
    kept exactly counts as mostly lost, and fusion by selection of pixels rates low. Horizontal derivatives
    have the other sign, while angles where they are 0 keep pi/2: it matters where only one of s_x, f_x is 0.

    Args:
        fused, visible, infrared: (B, H, W) uint8 luma of one size.
        white: The value of level 255.
    """
    return share_kept((_edges(image, white) for image in (fused, visible, infrared)), _ratio)


def _ratio(first: Tensor, second: Tensor) -> Tensor:
    larger, smaller = first.maximum(second), first.minimum(second)
    return torch.where(larger == smaller, larger, smaller / larger)


def _edges(image: Tensor, white: float) -> Edges:
    # The divisor is a tensor: on GPUs, division by a number multiplies by its rounded reciprocal.
    levels = image.double()
    padded = F.pad(levels / levels.new_tensor(_WHITE) * white, (1, 1, 1, 1))
    across, down = _convolved(padded, _ACROSS), _convolved(padded, _DOWN)
    return Edges(_root((across * across).add_(down * down)), angle(across, down))


def _root(squares: Tensor) -> Tensor:
    """Return correctly rounded square roots, because ties matter; those of PyTorch on a CPU are not."""
    roots = squares.sqrt()
    # Dekker's exact square of the root, from the two halves of its digits, for one step of Newton's method.
    high = roots * (2**27 + 1)
    high -= high - roots
    low = roots - high
    rounded = roots * roots
    rest = high.square().sub_(rounded).add_(2 * high * low).add_(low * low)
    return roots + ((squares - rounded).sub_(rest) / (2 * roots)).nan_to_num_(nan=0.0)


def _convolved(padded: Tensor, kernel: tuple[tuple[int, ...], ...]) -> Tensor:
    _, height, width = padded.shape
    total = torch.zeros_like(padded[:, 2:, 2:])
    for column in range(3):
        for row in range(3):
            if kernel[row][column]:
                part = padded[:, 2 - row : height - row, 2 - column : width - column]
                total.add_(part, alpha=kernel[row][column])
    return total


@luma_metric()
def unit_qabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """`rated_ties_qabf` of images on [0, 1].

    The tests s_x = 0 and g_S = g_F then compare sums of rounded levels / 255, so the value depends on the
    order of summation: column after column of the flipped kernel.

    Raises:
        ValueError: As `qabf`.
    """
    return rated_ties_qabf(fused, visible, infrared, white=1.0)


@luma_metric(minimum_side=2)
def unit_nabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Nabf of images on [0, 1]: no edge reaches the strength 2, so every pixel has the weight .001.

    Raises:
        ValueError: As `nabf`.
    """
    return artefacts(fused, visible, infrared, visible_edge=math.inf)


@luma_metric()
def unit_mse(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """MSE of images on [0, 1]: the standard's divided by 255^2.

    Raises:
        ValueError: As `mse`.
    """
    return mse(fused, visible, infrared) / _WHITE**2


@luma_metric()
def mixed_psnr(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """PSNR of a peak of 255 over an error on [0, 1]: the standard's plus 20 log10(255) = 48.13 dB.

    Raises:
        ValueError: As `psnr`.
    """
    return psnr(fused, visible, infrared) + 20 * math.log10(_WHITE)


MERGED_MI = Metric("MI", "mutual information, levels 254 and 255 merged", merged_mutual_information)
MEF_MS_SSIM = Metric("MS-SSIM", "MEF-SSIM at three scales", multi_scale_mef_ssim)
MIXED_PSNR = Metric("PSNR", "peak 255 over an error on the 0-1 scale, dB", mixed_psnr)
UNIT_MSE = Metric("MSE", "mean squared error, 0-1 scale", unit_mse, larger_is_better=False)

#: The metrics that differ from the standard's.
DEVIATIONS = (
    Metric("SD", "standard deviation in saturating 8 bits", saturated_deviation, compares=False),
    Metric("SF", "spatial frequency, 0-1 scale", unit_spatial_frequency, compares=False),
    MERGED_MI,
    Metric("VIF", "visual information fidelity, finest scale saturated", saturated_vif),
    Metric("Qabf", "edge preservation, 0-1 scale", unit_qabf),
    Metric("SSIM", "MEF-SSIM, to the best patch of both sources", mef_ssim),
    MEF_MS_SSIM,
    Metric("Nabf", "fusion artefacts without weights", unit_nabf, larger_is_better=False),
    MIXED_PSNR,
    UNIT_MSE,
)
