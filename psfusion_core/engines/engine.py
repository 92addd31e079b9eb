"""The interface of engines."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Engine(Protocol):
    """A network that is ready to run on one device in one precision.

    Attributes:
        device: The device of the network and of its inputs.
        description: Engine, precision and device, for messages.
        size: The only height and width that it accepts; None if it accepts any size.
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

    def release(self) -> None:
        """Free the memory that is kept for each size of input; the next call of a size allocates it again."""
        ...
