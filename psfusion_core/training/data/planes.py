"""The aligned planes of a scene: bytes, as they are held and augmented, and numbers to learn from.

Planes, (..., 7, H, W) uint8: red, green, blue, infrared, label (255 where unknown), weight of the label
(64 is 1.0), salient mask.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

IMAGE_PLANES = 4
INFRARED_PLANE, LABEL_PLANE, WEIGHT_PLANE, SALIENT_PLANE = 3, 4, 5, 6
PLANES = 7
UNIT_WEIGHT = 64
IGNORE = 255


class Sample(NamedTuple):
    """A batch to learn from.

    Attributes:
        visible: (B, 3, H, W) float RGB in [0, 1].
        infrared: (B, 1, H, W) float in [0, 1].
        label: (B, H, W) int64 class indices, 255 where unknown.
        weight: (B, H, W) float in [0, 4), how much each label pixel counts.
        salient: (B, 1, H, W) float in [0, 1], the thermally salient objects.
    """

    visible: Tensor
    infrared: Tensor
    label: Tensor
    weight: Tensor
    salient: Tensor


def to_sample(planes: Tensor) -> Sample:
    """Turn bytes (B, 7, H, W) into what the network and the losses read."""
    image = planes[:, :IMAGE_PLANES].float() / 255.0
    return Sample(
        visible=image[:, :3],
        infrared=image[:, 3:],
        label=planes[:, LABEL_PLANE].long(),
        weight=planes[:, WEIGHT_PLANE].float() / UNIT_WEIGHT,
        salient=planes[:, SALIENT_PLANE:].float() / 255.0,
    )
