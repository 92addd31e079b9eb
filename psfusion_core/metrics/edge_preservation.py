"""Edge preservation of a fused image."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from torch import Tensor

from .edges import Edges, Sigmoid, arctan, magnitude, preservation, sobel, strength_ratio
from .luma_input import luma_metric

# Xydeas and Petrovic's sigmoids of edge strength and of edge angle.
_STRENGTH = Sigmoid(0.9994, -15.0, 0.5)
_ANGLE = Sigmoid(0.9879, -22.0, 0.8)


@luma_metric()
def qabf(fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor:
    """Edge preservation Qabf = sum(Q_VF g_V + Q_RF g_R) / sum(g_V + g_R), in [0, 1).

    g is the Sobel magnitude and a = atan(s_y / s_x) the edge angle (pi/2 where s_x = 0); beyond the border
    the image is 0. Q_SF = .9994 / (1 + e^(-15 (G - .5))) * .9879 / (1 + e^(-22 (A - .8))) with
    G = min(g_S, g_F) / max(g_S, g_F) and A = 1 - |a_S - a_F| / (pi/2). G and A do not change with the scale
    of the images. Two flat sources have no edges to keep: 0.
    Source: Xydeas, Petrovic, Electronics Letters 36 (2000) 308-309.

    Args:
        fused, visible, infrared: uint8 luma of one size, (H, W) arrays or (B, H, W) tensors.

    Raises:
        ValueError: An image is not such an image, or sizes differ.
    """
    derivatives = (sobel(image, "constant") for image in (fused, visible, infrared))
    edges = (Edges(magnitude(across, down), angle(across, down)) for across, down in derivatives)
    return share_kept(edges, strength_ratio)


def angle(across: Tensor, down: Tensor) -> Tensor:
    """Return the angle of edges with these derivatives: pi/2 where the derivative across is 0."""
    return arctan((down / across).nan_to_num_(nan=math.inf, posinf=math.inf, neginf=math.inf))


def share_kept(edges: Iterator[Edges], ratio: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return Qabf from the edges of the fused image and of its sources, with G = ratio(g_S, g_F)."""
    fused = next(edges)
    kept = total = fused.strength.new_zeros(len(fused.strength))
    for source in edges:
        alignment = (source.angle - fused.angle).abs_().div_(-math.pi / 2).add_(1)
        preserved = preservation(ratio(source.strength, fused.strength), _STRENGTH, alignment, _ANGLE)
        kept = kept + preserved.mul_(source.strength).sum(dim=(1, 2))
        total = total + source.strength.sum(dim=(1, 2))
    return (kept / total).where(total > 0, 0.0)
