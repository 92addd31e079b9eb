"""Fuses at half size, for when memory is short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.image_limits import MINIMUM_SIDE
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import EIGHT_BITS, GreyScale
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_core.fusion.pictures import Pictures, Wanted


class HalfSizeFuser:
    """Fuses at half height and width, with a quarter of the memory, and enlarges the result.

    The pictures have the size of the visible image, as always, but lose fine detail.

    Attributes:
        fuser: The fuser that fuses the halved images.
    """

    def __init__(self, fuser: PairFuser) -> None:
        self.fuser = fuser
        self.class_names = fuser.class_names
        self.device = fuser.device
        self.description = f"{fuser.description}, at half size"

    @property
    def registration(self) -> Any:
        return self.fuser.registration

    @registration.setter
    def registration(self, registration: Any) -> None:
        self.fuser.registration = registration

    def release(self) -> None:
        self.fuser.release()

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        """Fuse one pair; arguments, result and errors are those of `Fuser.fuse_frames`."""
        from psfusion_core.fusion.compose import overlay  # late: loads PyTorch

        color, heat = _halve(to_visible(visible)), scale(to_infrared(infrared))
        if min(heat.shape) >= 2 * MINIMUM_SIDE:
            heat = _halve(heat)
        is_tinted = wanted.overlay_opacity is not None
        image, mask, _ = self.fuser.fuse_frames(
            replace(visible, encoding="rgb8", image=color),
            replace(infrared, encoding="mono8", image=heat),
            GreyScale(*EIGHT_BITS),
            Wanted(wanted.image or is_tinted, wanted.mask or is_tinted),
        )
        size = visible.image.shape[1], visible.image.shape[0]
        image, mask = _enlarge(image, size, cv2.INTER_LINEAR), _enlarge(mask, size, cv2.INTER_NEAREST)
        tinted = None
        if image is not None and mask is not None and wanted.overlay_opacity is not None:
            tinted = overlay(image, mask, wanted.overlay_opacity)
        return Pictures(image if wanted.image else None, mask if wanted.mask else None, tinted)


def _enlarge(
    picture: npt.NDArray[np.uint8] | None, size: tuple[int, int], interpolation: int
) -> npt.NDArray[np.uint8] | None:
    if picture is None:
        return None
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)


def _halve(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
