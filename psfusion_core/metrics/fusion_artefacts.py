"""Fusion artefacts: edges of a fused image that neither source has."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .edges import Sigmoid, arctan, magnitude, preservation, sobel, strength_ratio
from .luma_input import luma_metric

# Petrovic and Xydeas's sigmoids of edge strength and of edge angle.
_STRENGTH = Sigmoid(0.9999, -19.0, 0.5)
_ANGLE = Sigmoid(0.9995, -22.0, 0.5)
_VISIBLE_EDGE = 2.0  # on the 0-255 scale; a weaker edge has the weight below
_WEAK_EDGE_WEIGHT = 0.001


@luma_metric(minimum_side=2)
def nabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Fusion artefacts Nabf, Kumar's modified measure, in [0, 1); smaller is better.

    Nabf = sum_N((1 - Q_VF) w_V + (1 - Q_RF) w_R) / sum(w_V + w_R). N is where the fused edge is stronger than
    both of the sources; the lower sum is over all pixels. g is the Sobel magnitude with weights of 1/8,
    images mirrored at their outermost pixels; a is the edge angle; w_S = g_S^1.5 where g_S >= 2, else .001.
    Q_SF = sqrt(.9999 / (1 + e^(-19 (G - .5))) * .9995 / (1 + e^(-22 (A - .5)))) with
    G = min(g_S, g_F) / max(g_S, g_F), 0 if either is 0, and A = | |a_S - a_F| - pi/2 | / (pi/2).
    Flat sources have weight .001 everywhere; a flat fused image adds no edge: 0.
    Source: Kumar, Signal, Image and Video Processing 7 (2013) 1125-1143, which counts each source's own loss
    (1 - Q_SF) w_S where Petrovic, Xydeas, ICCV 2005, 1866-1871, count (2 - Q_VF - Q_RF) (w_V + w_R).

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors, of
            at least 2 x 2 pixels.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    return artefacts(fused, visible, infrared, _VISIBLE_EDGE)


def artefacts(fused: Tensor, visible: Tensor, infrared: Tensor, visible_edge: float) -> Tensor:
    """Return `nabf`, with g_S^1.5 as the weight of edges of at least the strength `visible_edge`."""
    f, *sources = (_edges(image) for image in (fused, visible, infrared))
    new = (f.strength > sources[0].strength).logical_and_(f.strength > sources[1].strength)
    pixels = new.flatten().nonzero()[:, 0]  # all other pixels count by their weights alone
    strength, angle = f.strength.take(pixels), _angle(f, pixels)
    lost, total = torch.zeros_like(f.strength), torch.zeros_like(f.strength)
    for source in sources:
        weight = source.strength * source.strength.sqrt()
        weight.masked_fill_(source.strength < visible_edge, _WEAK_EDGE_WEIGHT)
        ratio = strength_ratio(source.strength.take(pixels), strength)
        alignment = (_angle(source, pixels) - angle).abs_().div_(math.pi / 2).sub_(1).abs_()
        kept = preservation(ratio, _STRENGTH, alignment, _ANGLE).sqrt_()
        lost.view(-1).index_add_(0, pixels, weight.take(pixels).mul_(1 - kept))
        total += weight
    return lost.sum(dim=(1, 2)) / total.sum(dim=(1, 2))


class _Edges(NamedTuple):
    across: Tensor
    down: Tensor
    strength: Tensor


def _edges(image: Tensor) -> _Edges:
    across, down = sobel(image, "reflect")
    return _Edges(across, down, magnitude(across, down).div_(8))


def _angle(edges: _Edges, pixels: Tensor) -> Tensor:
    # An edge along the rows may have the angle +pi/2 or -pi/2, because alignment has the period pi.
    slope = edges.down.take(pixels) / edges.across.take(pixels)
    return arctan(slope.nan_to_num_(nan=0.0, posinf=math.inf, neginf=-math.inf))
