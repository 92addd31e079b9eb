"""From single images to pairs: subscriptions add images, the worker takes pairs."""

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
    """Counts of each camera's images, and of resets by stamps that jumped back.

    `stream_difference` is the newest infrared minus the newest visible stamp, ns; None before both arrived.
    """

    visible: StreamCounts
    infrared: StreamCounts
    resets: int
    stream_difference: int | None


@dataclass(frozen=True)
class UnpairedImage:
    """An image of one camera that is passed through because the other camera is missing."""

    camera: Camera
    image: Stamped[AnyImage]


Item: TypeAlias = StampedPair[AnyImage] | UnpairedImage
"""What the worker takes."""


class Synchroniser(ABC):
    """Pairs the images of two cameras; every method may be called from any thread.

    This class has the lock and the waiting. Its subclasses decide which images are a pair.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._passed_camera: Camera | None = None

    def add(self, camera: Camera, message: AnyImage) -> None:
        """Add an image; an image of the missing camera ends the passing through of the other camera's."""
        with self._changed:
            if self._passed_camera not in (None, camera):
                self._passed_camera = None
            self._add(camera, message)
            self._changed.notify()

    def take(self) -> Item | None:
        """Wait for a pair or an image to pass through, and return the newest; None once closed."""
        with self._changed:
            while not self._closed:
                if (pair := self._take_pair()) is not None:
                    return pair
                if self._passed_camera and (image := self._take_unpaired(self._passed_camera)):
                    return UnpairedImage(self._passed_camera, image)
                self._changed.wait(self._seconds_to_decision())
        return None

    def pass_through(self, camera: Camera | None) -> None:
        """Return unpaired images of this camera from `take` from now on; None ends that."""
        with self._changed:
            if camera != self._passed_camera:
                self._passed_camera = camera
                self._changed.notify()

    def open(self) -> None:
        """Let `take` return pairs again after `close`, but only of images that are added from now on."""
        with self._changed:
            self._reset()
            self._closed = False

    def close(self) -> None:
        """Make every call of `take` return None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Drop the waiting images, but keep the counts."""
        with self._changed:
            self._reset()

    def retune(self, settings: SyncSettings) -> None:
        """Apply tolerance and offsets; policy and queue size stay."""
        with self._changed:
            self._retune(settings)
            self._changed.notify()

    def report(self) -> SyncReport:
        with self._changed:
            return self._report()

    @abstractmethod
    def _add(self, camera: Camera, message: AnyImage) -> None: ...

    @abstractmethod
    def _take_pair(self) -> StampedPair[AnyImage] | None: ...

    @abstractmethod
    def _take_unpaired(self, camera: Camera) -> Stamped[AnyImage] | None:
        """Return the newest image of a camera that waits for a partner."""

    def _seconds_to_decision(self) -> float | None:
        """Return after how long there may be a pair although no image arrives; None for never."""
        return None

    @abstractmethod
    def _reset(self) -> None: ...

    @abstractmethod
    def _retune(self, settings: SyncSettings) -> None: ...

    @abstractmethod
    def _report(self) -> SyncReport: ...
