"""The outputs of both fusion networks."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class FusionOutput(NamedTuple):
    """The six outputs of a fusion network, all at the size of its inputs.

    Attributes:
        semantic: (B, num_classes, H, W) class logits.
        binary: (B, 2, H, W) logits of background and object.
        boundary: (B, 2, H, W) logits of inside and class boundary.
        fused: (B, 1, H, W) fused luma in [0, 1].
        visible: (B, 1, H, W) visible luma, reconstructed from the fused features.
        infrared: (B, 1, H, W) infrared image, reconstructed from the fused features.
    """

    semantic: Tensor
    binary: Tensor
    boundary: Tensor
    fused: Tensor
    visible: Tensor
    infrared: Tensor
