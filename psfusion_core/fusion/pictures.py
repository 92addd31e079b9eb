"""The pictures that fusion makes of a pair, and the choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Wanted:
    """The pictures that are wanted of a pair.

    Attributes:
        image: True for the fused image.
        mask: True for the label map.
        overlay_opacity: Weight of the class colours in the overlay, in [0, 1]; None for no overlay.
    """

    image: bool = True
    mask: bool = True
    overlay_opacity: float | None = None


class Pictures(NamedTuple):
    """The pictures of a pair; None for those that were not wanted.

    Attributes:
        image: (H, W, 3) uint8 RGB, the fused image.
        mask: (H, W) uint8 class indices (see :mod:`psfusion_core.models.classes`).
        overlay: (H, W, 3) uint8 RGB, the fused image tinted with the colours of its classes.
    """

    image: npt.NDArray[np.uint8] | None
    mask: npt.NDArray[np.uint8] | None
    overlay: npt.NDArray[np.uint8] | None
