"""From single images to pairs: a place where subscriptions store and the worker takes."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

from psfusion_core.cameras.pairing import SyncSettings
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair, StreamCounts
from psfusion_ros.image_messages import AnyImage


@dataclass(frozen=True)
class SyncReport:
    """Where the frames went; `stream_difference` is newest infrared minus newest visible stamp, ns."""

    visible: StreamCounts
    infrared: StreamCounts
    resets: int
    stream_difference: int | None


@dataclass(frozen=True)
class Alone:
    """An image of one camera, to be passed through while the other one is missing."""

    camera: Camera
    frame: Stamped[AnyImage]


Item: TypeAlias = StampedPair[AnyImage] | Alone
"""What the worker takes."""


class Synchroniser(ABC):
    """Pairs images of two cameras; every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._passed: Camera | None = None

    def add(self, camera: Camera, message: AnyImage) -> None:
        """Store an image; one of a camera that was missing ends the passing through of the other one."""
        with self._changed:
            if self._passed not in (None, camera):
                self._passed = None
            self._store(camera, message)
            self._changed.notify()

    def take(self) -> Item | None:
        """Wait for the newest pair, or image to pass through, that nobody has taken; None once closed."""
        with self._changed:
            while not self._closed:
                pair, wait = self._next()
                if pair is not None:
                    return pair
                if self._passed is not None and (frame := self._take_alone(self._passed)) is not None:
                    return Alone(self._passed, frame)
                self._changed.wait(wait)
        return None

    def pass_through(self, camera: Camera | None) -> None:
        """Hand out the images of this camera without partners from now on; None ends that."""
        with self._changed:
            if camera != self._passed:
                self._passed = camera
                self._changed.notify()

    def open(self) -> None:
        """Let `take` give pairs again after `close`; what waited is forgotten."""
        with self._changed:
            self._forget()
            self._closed = False

    def close(self) -> None:
        """End every `take`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget the images that wait, keep the counts."""
        with self._changed:
            self._forget()

    def retune(self, settings: SyncSettings) -> None:
        """Take over tolerance and offsets; policy and queue size stay."""
        with self._changed:
            self._retune(settings)
            self._changed.notify()

    def report(self) -> SyncReport:
        with self._changed:
            return self._report()

    @abstractmethod
    def _store(self, camera: Camera, message: AnyImage) -> None: ...

    @abstractmethod
    def _next(self) -> tuple[StampedPair[AnyImage] | None, float | None]:
        """Return a pair, or else for how many seconds waiting for an image makes sense (None: for ever)."""

    @abstractmethod
    def _take_alone(self, camera: Camera) -> Stamped[AnyImage] | None:
        """Return the newest image of a camera that waits for a partner."""

    @abstractmethod
    def _forget(self) -> None: ...

    @abstractmethod
    def _retune(self, settings: SyncSettings) -> None: ...

    @abstractmethod
    def _report(self) -> SyncReport: ...
