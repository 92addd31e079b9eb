"""What is made of a pair: which pictures, and the pictures themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Wanted:
    """Which pictures are to be made of a pair.

    Attributes:
        image: the fused image.
        mask: the label map.
        overlay_opacity: weight of the class colours in the overlay, in [0, 1]; None for no overlay.
    """

    image: bool = True
    mask: bool = True
    overlay_opacity: float | None = None


class Pictures(NamedTuple):
    """What was made of a pair; None where it was not wanted.

    Attributes:
        image: (H, W, 3) uint8 RGB, fused.
        mask: (H, W) uint8 class indices (see :mod:`psfusion_core.models.classes`).
        overlay: (H, W, 3) uint8 RGB, the fused image tinted with the colours of its classes.
    """

    image: npt.NDArray[np.uint8] | None
    mask: npt.NDArray[np.uint8] | None
    overlay: npt.NDArray[np.uint8] | None
