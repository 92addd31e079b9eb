"""Checks of the arrays that `Fuser` takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import MINIMUM_SIDE
from psfusion_core.registration.pixel_map import Size, same_aspect


def check_visible(visible: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless an array is (H, W, 3) uint8."""
    if visible.ndim != 3 or visible.shape[2] != 3 or visible.dtype != np.uint8:
        raise ValueError(
            f"expected a visible image of shape (H, W, 3) and uint8, got {visible.shape} and {visible.dtype}"
        )


def check_infrared(infrared: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless an array is (h, w) uint8 or uint16."""
    if infrared.ndim != 2 or infrared.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"expected an infrared image of shape (H, W) and uint8 or uint16, got {infrared.shape} and "
            f"{infrared.dtype}"
        )


def check_sizes(visible: Size, infrared: Size, any_size: bool) -> None:
    """Check that images of two sizes can be fused.

    Args:
        visible: Width and height of the visible image, pixels.
        infrared: Width and height of the infrared image, pixels.
        any_size: True if the aspect ratios may differ by more than 1 %.

    Raises:
        FrameError: They cannot be fused.
    """
    if min(*visible, *infrared) < MINIMUM_SIDE:
        width, height = visible if min(visible) < MINIMUM_SIDE else infrared
        raise FrameError(f"expected at least {MINIMUM_SIDE} x {MINIMUM_SIDE} pixels, got {height} x {width}")
    if not any_size and not same_aspect(visible, infrared):
        raise FrameError(
            f"the visible image is {visible[1]} x {visible[0]} and the infrared image "
            f"{infrared[1]} x {infrared[0]} (height x width), of another aspect ratio: find "
            "their registration with psfusion calibrate"
        )
