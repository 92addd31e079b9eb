"""Fusion artefacts: edges of a fused image that neither source has."""

from __future__ import annotations

import cv2
import numpy as np

from .luma_input import FloatImage, LumaImage, check_luma

# Petrovic and Xydeas's constants: ceiling and slope (both sigmoids have their midpoint at 0.5).
_STRENGTH = (0.9999, 19.0)
_ANGLE = (0.9995, 22.0)
_MIDPOINT = 0.5
_VISIBLE_EDGE = 2.0  # on the 0-255 scale; a weaker edge has a weight of its own
_WEAK_EDGE_WEIGHT = 0.001
_WEIGHT_POWER = 1.5


def nabf(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
    """Fusion artefacts Nabf, Kumar's modified measure, in [0, 1); smaller is better.

    Nabf = sum_N((1 - Q_VF) w_V + (1 - Q_RF) w_R) / sum(w_V + w_R). N is where the fused edge is stronger than
    both of the sources; the lower sum is over all pixels. g is the Sobel magnitude with weights of 1/8,
    images mirrored at their outermost pixels, and a the edge angle; w_S = g_S^1.5 where g_S >= 2, else .001.
    Q_SF = sqrt(.9999 / (1 + e^(-19 (G - .5))) * .9995 / (1 + e^(-22 (A - .5)))) with
    G = min(g_S, g_F) / max(g_S, g_F), 0 where either is 0, and A = | |a_S - a_F| - pi/2 | / (pi/2).
    Flat sources have weight .001 everywhere; a flat fused image adds no edge: 0.
    Source: Kumar, Signal, Image and Video Processing 7 (2013) 1125-1143, which counts each source's own loss
    (1 - Q_SF) w_S where Petrovic, Xydeas, ICCV 2005, 1866-1871, count (2 - Q_VF - Q_RF) (w_V + w_R).

    Args:
        fused, visible, infrared: (H, W) uint8 luma of one size, H and W at least 2.

    Raises:
        ValueError: an image is not such an image, or sizes differ.
    """
    check_luma("nabf", minimum_side=2, fused=fused, visible=visible, infrared=infrared)
    return artefacts(fused, visible, infrared, _VISIBLE_EDGE)


def artefacts(fused: LumaImage, visible: LumaImage, infrared: LumaImage, visible_edge: float) -> float:
    """`nabf` with the edge strength, on the 0-255 scale, from which an edge has a weight by its strength."""
    strength_fused, angle_fused = _edges(fused)
    new = np.ones(fused.shape, bool)
    lost = np.zeros(fused.shape)
    total = 0.0
    for source in (visible, infrared):
        strength, angle = _edges(source)
        new &= strength_fused > strength
        larger = np.maximum(strength, strength_fused)
        ratio = np.minimum(strength, strength_fused) / np.where(larger > 0, larger, 1)
        alignment = np.abs(np.abs(angle - angle_fused) / (np.pi / 2) - 1)
        preserved = np.sqrt(_sigmoid(ratio, *_STRENGTH) * _sigmoid(alignment, *_ANGLE))
        weight = np.where(strength >= visible_edge, strength**_WEIGHT_POWER, _WEAK_EDGE_WEIGHT)
        lost += (1 - preserved) * weight
        total += float(np.sum(weight))
    return float(np.sum(lost[new])) / total


def _edges(image: LumaImage) -> tuple[FloatImage, FloatImage]:
    across, down = (
        np.asarray(cv2.Sobel(image, cv2.CV_64F, dx, 1 - dx, scale=1 / 8, borderType=cv2.BORDER_REFLECT_101))
        for dx in (1, 0)
    )
    # Of an edge along the rows, +pi/2 and -pi/2 are one angle: alignment has the period pi.
    vertical = across == 0
    angle = np.where(vertical, np.pi / 2 * np.sign(down), np.arctan(down / np.where(vertical, 1, across)))
    return np.sqrt(across * across + down * down), angle


def _sigmoid(value: FloatImage, ceiling: float, slope: float) -> FloatImage:
    return ceiling / (1 + np.exp(-slope * (value - _MIDPOINT)))
