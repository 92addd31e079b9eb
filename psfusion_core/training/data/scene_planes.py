"""The planes of a scene, and the batch that the network and the losses read.

A scene is a tensor (7, H, W) uint8 of aligned planes: red, green, blue, infrared, label (255: unknown),
weight of the label (64 stands for 1.0) and salient mask.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

IMAGE_PLANES = 4
INFRARED_PLANE, LABEL_PLANE, WEIGHT_PLANE, SALIENT_PLANE = 3, 4, 5, 6
PLANES = 7
UNIT_WEIGHT = 64
IGNORE = 255


class Batch(NamedTuple):
    """A batch to learn from.

    Attributes:
        visible: (B, 3, H, W) float RGB in [0, 1].
        infrared: (B, 1, H, W) float in [0, 1].
        label: (B, H, W) int64 class indices, 255 if unknown.
        weight: (B, H, W) float in [0, 4), weight of each label pixel in the losses.
        salient: (B, 1, H, W) float in [0, 1], thermally salient objects.
    """

    visible: Tensor
    infrared: Tensor
    label: Tensor
    weight: Tensor
    salient: Tensor


def to_batch(planes: Tensor) -> Batch:
    """Convert planes (B, 7, H, W) uint8 to a batch."""
    image = planes[:, :IMAGE_PLANES].float() / 255.0
    return Batch(
        visible=image[:, :3],
        infrared=image[:, 3:],
        label=planes[:, LABEL_PLANE].long(),
        weight=planes[:, WEIGHT_PLANE].float() / UNIT_WEIGHT,
        salient=planes[:, SALIENT_PLANE:].float() / 255.0,
    )
