"""What every engine offers."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Engine(Protocol):
    """A network made ready to run on one device at one precision.

    Attributes:
        device: where the network runs and its inputs lie.
        description: engine, precision and device, for people.
        size: the only height and width that it takes; None where it takes any.
    """

    device: torch.device
    description: str
    size: tuple[int, int] | None

    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network.

        Args:
            visible: (B, 3, H, W) float32 RGB in [0, 1] on ``device``; H and W multiples of 32.
            infrared: (B, 1, H, W) float32 in [0, 1].

        Returns:
            Fused luma (B, 1, H, W) in [0, 1] and semantic logits (B, num_classes, H, W), both float32.
        """
        ...
