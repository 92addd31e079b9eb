"""The result of a method for one pair, and the ways to load or compute it in any process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import read_label, read_visible
from psfusion_core.metrics.luma_input import LumaImage, luma

Image = npt.NDArray[np.uint8]


class SourceImages(NamedTuple):
    """The two images of a pair, of one size.

    Attributes:
        visible: (H, W, 3) uint8 RGB.
        infrared: (H, W) uint8, hot is bright.
    """

    visible: Image
    infrared: Image


class MethodResult(NamedTuple):
    """The fused image and the label map of a pair by one method.

    Attributes:
        image: (H, W, 3) uint8 RGB or (H, W) uint8; None if the method only labels.
        mask: (H, W) uint8 class indices; None if the method only fuses.
    """

    image: Image | None
    mask: Image | None = None

    @property
    def luma(self) -> LumaImage | None:
        """(H, W) uint8 luma of the fused image."""
        return luma(self.image) if self.image is not None and self.image.ndim == 3 else self.image


class ResultLoader(Protocol):
    """Loads or computes the result of a method for one pair. It can be pickled."""

    def load(self, sources: SourceImages) -> MethodResult:
        """Return the result.

        Raises:
            ValueError: A file cannot be used.
        """
        ...


@dataclass(frozen=True)
class ResultFiles:
    """A result in files, for a method whose results already exist."""

    image: Path | None
    mask: Path | None

    def load(self, sources: SourceImages) -> MethodResult:
        return MethodResult(
            None if self.image is None else read_visible(self.image),
            None if self.mask is None else read_label(self.mask),
        )


@dataclass(frozen=True)
class BaselineRule:
    """A result that a rule of `BASELINES` computes pixel by pixel."""

    rule: str

    def load(self, sources: SourceImages) -> MethodResult:
        return MethodResult(BASELINES[self.rule](luma(sources.visible), sources.infrared))


@dataclass(frozen=True)
class ComputedResult:
    """A result that was computed before, by a network in the main process."""

    result: MethodResult

    def load(self, sources: SourceImages) -> MethodResult:
        return self.result


def _visible(visible: LumaImage, infrared: LumaImage) -> LumaImage:
    return visible


def _infrared(visible: LumaImage, infrared: LumaImage) -> LumaImage:
    return infrared


def _average(visible: LumaImage, infrared: LumaImage) -> LumaImage:
    return np.asarray((visible.astype(np.uint16) + infrared + 1) // 2, np.uint8)


def _maximum(visible: LumaImage, infrared: LumaImage) -> LumaImage:
    return np.maximum(visible, infrared)


BASELINES = {"visible": _visible, "infrared": _infrared, "average": _average, "maximum": _maximum}
"""Rules by name. Each maps (H, W) uint8 luma and infrared to fused luma; halves are rounded up."""
