"""Edge preservation of a fused image."""

from __future__ import annotations

import cv2
import numpy as np

from .luma_input import FloatImage, LumaImage, check_luma

#: Xydeas and Petrovic's sigmoids: ceiling, slope and midpoint for edge strength and for edge angle.
STRENGTH = (0.9994, -15.0, 0.5)
ANGLE = (0.9879, -22.0, 0.8)


def qabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Edge preservation Qabf = sum(Q_VF g_V + Q_RF g_R) / sum(g_V + g_R), in [0, 1).

    g is the Sobel magnitude and a = atan(s_y / s_x) the edge angle (pi/2 where s_x = 0), beyond the border
    the image is 0. Q_SF = .9994 / (1 + e^(-15 (G - .5))) * .9879 / (1 + e^(-22 (A - .8))) with
    G = min(g_S, g_F) / max(g_S, g_F) and A = 1 - |a_S - a_F| / (pi/2). G and A do not change with the scale
    of the images. Two flat sources have no edges to keep: 0.
    Source: Xydeas, Petrovic, Electronics Letters 36 (2000) 308-309.

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("qabf", fused=fused, visible=visible, infrared=infrared)
    strength_fused, angle_fused = _edges(fused)
    kept = total = 0.0
    for source in (visible, infrared):
        strength, angle = _edges(source)
        larger = np.maximum(strength, strength_fused)
        ratio = np.minimum(strength, strength_fused) / np.where(larger > 0, larger, 1)
        alignment = 1 - np.abs(angle - angle_fused) / (np.pi / 2)
        kept += float(np.sum(sigmoid(ratio, *STRENGTH) * sigmoid(alignment, *ANGLE) * strength))
        total += float(np.sum(strength))
    return kept / total if total > 0 else 0.0


def _edges(image: LumaImage) -> tuple[FloatImage, FloatImage]:
    across, down = (
        np.asarray(cv2.Sobel(image, cv2.CV_64F, dx, 1 - dx, borderType=cv2.BORDER_CONSTANT), dtype=np.float64)
        for dx in (1, 0)
    )
    vertical = across == 0
    angle = np.where(vertical, np.pi / 2, np.arctan(down / np.where(vertical, 1, across)))
    return np.sqrt(across * across + down * down), angle


def sigmoid(value: FloatImage, ceiling: float, slope: float, midpoint: float) -> FloatImage:
    """Return ceiling / (1 + e^(slope (value - midpoint)))."""
    return ceiling / (1 + np.exp(slope * (value - midpoint)))
