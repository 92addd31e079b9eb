"""One fusion metric and what a table needs to know about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

from torch import Tensor

from .luma_input import LumaImage, LumaMetric


@dataclass(frozen=True)
class Metric:
    """A measure of a fused image and its two sources; call it with (fused, visible, infrared).

    Attributes:
        name: Short name, the head of its column in tables.
        title: What it measures, in one line.
        function: The function that computes it from the images.
        larger_is_better: False if the better image has the smaller value.
        is_fast: False if one pair of 640 x 480 pixels takes more than a fraction of a second.
        compares: False if the function takes the fused image alone.
    """

    name: str
    title: str
    function: LumaMetric
    larger_is_better: bool = True
    is_fast: bool = True
    compares: bool = True

    @overload
    def __call__(self, fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float: ...
    @overload
    def __call__(self, fused: Tensor, visible: Tensor, infrared: Tensor) -> Tensor: ...
    def __call__(self, fused, visible, infrared):  # type: ignore[no-untyped-def]
        """Return the value of (H, W) uint8 arrays, or those of (B, H, W) uint8 tensors."""
        return self.function(fused, visible, infrared) if self.compares else self.function(fused)
