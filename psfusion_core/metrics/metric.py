"""One fusion metric and what a table needs to know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .luma_input import LumaImage


@dataclass(frozen=True)
class Metric:
    """A measure of a fused image and its two sources; call it with (fused, visible, infrared).

    Attributes:
        name: short name, as tables head their columns with.
        title: what it measures, in one line.
        function: (fused, visible, infrared), each (H, W) uint8 luma of one size, to the value.
        larger_is_better: False where the better image has the smaller value.
        is_fast: False where one pair of 480 x 640 pixels takes more than a fraction of a second.
    """

    name: str
    title: str
    function: Callable[[LumaImage, LumaImage, LumaImage], float]
    larger_is_better: bool = True
    is_fast: bool = True

    def __call__(self, fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
        """Return the value of `function`."""
        return self.function(fused, visible, infrared)

    @classmethod
    def of_fused_alone(cls, name: str, title: str, function: Callable[[LumaImage], float]) -> Metric:
        """Make a metric that does not look at the sources."""

        def of_triple(fused: LumaImage, visible: LumaImage, infrared: LumaImage) -> float:
            return function(fused)

        return cls(name, title, of_triple)
