"""Goes on fusing when memory runs out: frees memory, tries once more, then falls back to a smaller fuser."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from psfusion_core.base.wording import one_line, typed_line
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.engines.memory import free_memory, is_out_of_memory
from psfusion_core.fusion.half_size_fuser import HalfSizeFuser
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_core.fusion.pictures import Pictures, Wanted

FALLBACKS = {
    "none": "drop the pair",
    "half": "continue at half the height and width",
    "cpu": "continue on the CPU",
}
"""What can happen when memory runs out twice for one pair."""

LONGEST_WAIT = 600.0
"""Longest time between two tries of the first fuser, s."""


class RecoveringFuser:
    """A fuser that survives running out of memory.

    When memory runs out, unused memory is freed and the pair is tried again. If that fails too, a fallback
    takes over: the same fuser at half size, or one on the CPU. After a while the first fuser is tried again;
    each time that fails, for whatever reason, the wait doubles, up to ten minutes.

    Attributes:
        degraded: Why a fallback fuses; empty while the first fuser does.
        retries: Number of pairs that were tried again.
        fallbacks: How often a fallback took over.
    """

    def __init__(
        self,
        make_first: Callable[[], PairFuser],
        make_on_cpu: Callable[[], PairFuser],
        fallback: str = "cpu",
        retry_after: float = 30.0,
        changed: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the first fuser, or one on the CPU if memory is too short for it and the fallback is "cpu".

        Args:
            make_first: Makes the first fuser.
            make_on_cpu: Makes the fuser of the fallback "cpu", with an engine and precision for the CPU.
            fallback: One of FALLBACKS.
            retry_after: Seconds on the fallback before the first fuser is tried again.
            changed: Called with one line when a fallback takes over and when the first fuser is back.
            clock: Returns the seconds of a steady clock.

        Raises:
            ValueError: The fallback is unknown. Errors of `make_first` pass unchanged.
        """
        if fallback not in FALLBACKS:
            raise ValueError(f"expected a fallback of {', '.join(FALLBACKS)}, got {fallback!r}")
        self._make_first = make_first
        self._make_on_cpu = make_on_cpu
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
            self._fuser = make_first()
        except Exception as error:
            if not is_out_of_memory(error) or fallback != "cpu":
                raise
            reason = one_line(error)
        if reason:
            self._take_over(reason)
        self.class_names = self._fuser.class_names

    @property
    def description(self) -> str:
        """Description of the fuser that is used now."""
        return self._fuser.description

    @property
    def device(self) -> Any:
        """The torch.device of the fuser that is used now."""
        return self._fuser.device

    @property
    def registration(self) -> Any:
        """The registration of infrared and visible images, see `Fuser.registration`."""
        return self._registration

    @registration.setter
    def registration(self, registration: Any) -> None:
        self._registration = registration
        self._fuser.registration = registration

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        """Fuse one pair; arguments, result and errors are those of `Fuser.fuse_frames`.

        Raises:
            MemoryError, torch.OutOfMemoryError, RuntimeError: Memory ran out, on the fallback too.
        """
        if self.degraded and self._clock() >= self._try_at:
            self._return()
        try:
            return self._fuser.fuse_frames(visible, infrared, scale, wanted)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            reason = one_line(error)
        self._fuser.release()
        free_memory()
        self.retries += 1
        try:
            return self._fuser.fuse_frames(visible, infrared, scale, wanted)
        except Exception as error:
            if not is_out_of_memory(error) or self._fallback == "none" or self.degraded:
                raise
        self._fuser.release()
        self._take_over(reason)
        return self._fuser.fuse_frames(visible, infrared, scale, wanted)

    def release(self) -> None:
        """Free the memory that the fuser in use keeps for each size."""
        self._fuser.release()

    def _take_over(self, reason: str) -> None:
        """Put the fallback in the place of the first fuser.

        Raises:
            RuntimeError: There is no fallback either; the message has both reasons.
        """
        try:
            fallback = HalfSizeFuser(self._fuser) if self._fallback == "half" else self._make_on_cpu()
        except Exception as error:
            raise RuntimeError(
                f"out of memory ({reason}), and the fallback cannot be made: {typed_line(error)}"
            ) from error
        self.fallbacks += 1
        self._back_off(self._clock() - self._returned_at > self._wait)
        self._use(fallback)
        self.degraded = reason
        free_memory()
        self._changed(f"out of memory ({reason}): going on with {self.description}")

    def _return(self) -> None:
        """Return to the first fuser if it can be made again; else the fallback goes on."""
        now = self._fuser
        try:
            self._use(now.fuser if isinstance(now, HalfSizeFuser) else self._make_first())
        except Exception as error:
            self._use(now)
            self._back_off(start_again=False)
            if not is_out_of_memory(error):  # memory that stays short is expected
                self._changed(f"cannot return to the first fuser: {typed_line(error)}")
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
