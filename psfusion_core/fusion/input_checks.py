"""Checks of the arrays that `Fuser` takes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import check_fusable
from psfusion_core.registration.pixel_map import Size, same_aspect


def check_visible(visible: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless an array is (H, W, 3) uint8."""
    if visible.ndim != 3 or visible.shape[2] != 3 or visible.dtype != np.uint8:
        raise ValueError(
            f"expected a visible image of shape (H, W, 3) and uint8, got {visible.shape} and "
            f"{visible.dtype}: convert it to 8-bit RGB"
        )


def check_infrared(infrared: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless an array is (h, w) uint8 or uint16."""
    if infrared.ndim != 2 or infrared.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"expected an infrared image of shape (H, W) and uint8 or uint16, got {infrared.shape} and "
            f"{infrared.dtype}: convert it to one channel of 8 or 16 bits"
        )


def check_sizes(visible: Size, infrared: Size, any_size: bool) -> None:
    """Raise FrameError unless images of these sizes (width, height) can be fused.

    Args:
        any_size: True if the aspect ratios may differ by more than 1 %.
    """
    check_fusable("visible", visible[1], visible[0])
    check_fusable("infrared", infrared[1], infrared[0])
    if not any_size and not same_aspect(visible, infrared):
        raise FrameError(
            f"expected images of one aspect ratio, got visible {visible[0]} x {visible[1]} and infrared "
            f"{infrared[0]} x {infrared[1]}: find their registration with psfusion calibrate"
        )
