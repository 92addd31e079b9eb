"""Metrics of information theory on 256-bin grey-level histograms, in bits; 0 of a flat fused image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .luma_input import LumaImage, check_luma


def entropy(fused: LumaImage) -> float:
    """Entropy EN = -sum_l p(l) log2 p(l) over the 256 grey levels l, in bits (0 to 8).

    Source: Roberts, van Aardt, Ahmed, J. Applied Remote Sensing 2 (2008) 023522.

    Args:
        fused: (H, W) uint8 luma.

    Raises:
        ValueError: `fused` is not such an image.
    """
    check_luma("entropy", fused=fused)
    return shannon_entropy(np.bincount(fused.ravel(), minlength=256))


def mutual_information(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Mutual information MI = I(F; V) + I(F; R), I(A; B) = H(A) + H(B) - H(A, B), in bits (0 to 16).

    Source: Qu, Zhang, Yan, Electronics Letters 38 (2002) 313-315; logarithm to base 2.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("mutual_information", fused=fused, visible=visible, infrared=infrared)
    return _shared_information(fused, visible) + _shared_information(fused, infrared)


def _shared_information(first: LumaImage, second: LumaImage) -> float:
    pairs = first.ravel().astype(np.intp) * 256 + second.ravel()
    joint = np.bincount(pairs, minlength=65536).reshape(256, 256)
    separate = shannon_entropy(joint.sum(axis=1)) + shannon_entropy(joint.sum(axis=0))
    information = separate - shannon_entropy(joint.ravel())
    return max(information, 0.0)  # rounding must not make independence negative


def shannon_entropy(counts: npt.NDArray[np.intp]) -> float:
    """Return -sum_l p(l) log2 p(l) in bits of the frequencies p that these counts have."""
    probability = counts[counts > 0] / counts.sum()
    return abs(float(np.sum(probability * np.log2(probability))))  # abs: a flat image has 0, not -0
