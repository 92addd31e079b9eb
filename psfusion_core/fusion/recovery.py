"""Fusing on when memory runs out: free what can be freed, try once more, then go on with less."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.image_limits import MINIMUM_SIDE
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import EIGHT_BITS, GreyScale
from psfusion_core.engines.memory import free_memory
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import overlay

FALLBACKS = {
    "none": "drop the pair",
    "half": "continue at half the height and width",
    "cpu": "continue on the CPU",
}
"""What can happen when memory runs out twice for one pair."""

LONGEST_WAIT = 600.0
"""Most seconds between two tries of the first fuser."""


class PairFuser(Protocol):
    """What is needed of `psfusion_core.Fuser`."""

    registration: Any

    @property
    def description(self) -> str: ...

    @property
    def device(self) -> Any: ...

    @property
    def class_names(self) -> Sequence[str]: ...

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures: ...


class HalfSizeFuser:
    """Fuses at half height and width, a quarter of the memory, and enlarges the result.

    The pictures have the size of the visible image as ever; fine detail is lost.
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

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        """Fuse one pair; arguments and result as those of `Fuser.fuse_frames`, the same errors."""
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


class RecoveringFuser:
    """A fuser that survives running out of memory.

    The first time, memory that nobody uses is given back and the pair is tried again. If that fails too, a
    fallback takes over: the same fuser at half size, or one on the CPU. After a while the first one is tried
    again; each time that fails, the wait doubles, up to ten minutes.

    Attributes:
        degraded: why a fallback is at work, empty while the first fuser is.
        retries: pairs that were tried again.
        fallbacks: how often a fallback took over.
    """

    def __init__(
        self,
        make: Callable[[str], PairFuser],
        device: str,
        fallback: str = "cpu",
        retry_after: float = 30.0,
        changed: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the first fuser, or the one on the CPU where there is no memory for it and that may take over.

        Args:
            make: makes a fuser for a device ("auto", "cpu", "cuda", "cuda:N").
            device: that of the first one.
            fallback: one of FALLBACKS.
            retry_after: seconds on the fallback before the first fuser is tried again.
            changed: told in a line when a fallback takes over, and when the first fuser is back.
            clock: seconds of a steady clock.

        Raises:
            ValueError: an unknown fallback; and whatever `make` raises.
        """
        if fallback not in FALLBACKS:
            raise ValueError(f"expected a fallback of {', '.join(FALLBACKS)}, got {fallback!r}")
        self._make = make
        self._device = device
        self._fallback = fallback
        self._retry_after = retry_after
        self._changed = changed
        self._clock = clock
        self._registration: Any = None
        self.degraded = ""
        self.retries = 0
        self.fallbacks = 0
        self._wait = retry_after
        self._try_at = 0.0
        self._returned_at = float("-inf")
        reason = ""
        try:
            self._fuser = make(device)
        except Exception as error:
            if not is_out_of_memory(error) or fallback != "cpu":
                raise
            reason = one_line(error)
        if reason:
            self._take_over(reason)
        self.class_names = self._fuser.class_names

    @property
    def description(self) -> str:
        """What fuses now."""
        return self._fuser.description

    @property
    def device(self) -> Any:
        """The torch.device that fuses now."""
        return self._fuser.device

    @property
    def registration(self) -> Any:
        """How the infrared is laid onto the visible image, see `Fuser.registration`."""
        return self._registration

    @registration.setter
    def registration(self, registration: Any) -> None:
        self._registration = registration
        self._fuser.registration = registration

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        """Fuse one pair; arguments, result and errors as those of `Fuser.fuse_frames`.

        Raises:
            MemoryError, torch.OutOfMemoryError, RuntimeError: memory ran out, and on the fallback too.
        """
        if self.degraded and self._clock() >= self._try_at:
            self._return()
        try:
            return self._fuser.fuse_frames(visible, infrared, scale, wanted)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            reason = one_line(error)
        free_memory()
        self.retries += 1
        try:
            return self._fuser.fuse_frames(visible, infrared, scale, wanted)
        except Exception as error:
            if not is_out_of_memory(error) or self._fallback == "none" or self.degraded:
                raise
        self._take_over(reason)
        return self._fuser.fuse_frames(visible, infrared, scale, wanted)

    def _take_over(self, reason: str) -> None:
        self.fallbacks += 1
        self._back_off(self._clock() - self._returned_at > self._wait)
        self._use(HalfSizeFuser(self._fuser) if self._fallback == "half" else self._make("cpu"))
        self.degraded = reason
        free_memory()
        self._changed(f"out of memory ({reason}): going on with {self.description}")

    def _return(self) -> None:
        """Put the first fuser back, for as long as its memory lasts."""
        now = self._fuser
        try:
            self._use(now.fuser if isinstance(now, HalfSizeFuser) else self._make(self._device))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._back_off(start_again=False)
            return
        self.degraded = ""
        self._returned_at = self._clock()
        free_memory()
        self._changed(f"going on with {self.description} again")

    def _back_off(self, start_again: bool) -> None:
        self._wait = self._retry_after if start_again else min(2 * self._wait, LONGEST_WAIT)
        self._try_at = self._clock() + self._wait

    def _use(self, fuser: PairFuser) -> None:
        fuser.registration = self._registration
        self._fuser = fuser


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that a device, or the machine, has no memory left."""
    if isinstance(error, MemoryError):
        return True
    words = str(error).lower()
    # torch.OutOfMemoryError is a RuntimeError; cuBLAS, cuDNN and the CPU's allocator raise a plain one.
    return isinstance(error, RuntimeError) and any(
        sign in words for sign in ("out of memory", "alloc_failed", "can't allocate memory")
    )
