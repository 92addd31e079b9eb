"""From single images to pairs: a place where subscriptions store and the worker takes."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from builtin_interfaces.msg import Time

from psfusion_core.stream.pairing import RESET_AFTER, Pair, Pairer, Stamped, StreamCounts
from psfusion_ros.codec import NANOSECONDS, AnyImage, stamp_of

POLICIES = ("nearest", "approximate", "exact")
NEVER = -(1 << 63)


@dataclass(frozen=True)
class SyncSettings:
    """How to pair: tolerance and offsets in nanoseconds, queue size in frames per camera."""

    policy: str
    tolerance: int
    visible_offset: int
    infrared_offset: int
    queue_size: int


@dataclass(frozen=True)
class SyncReport:
    """Where the frames went; `stream_difference` is newest infrared minus newest visible stamp, ns."""

    visible: StreamCounts
    infrared: StreamCounts
    resets: int
    stream_difference: int | None


class Synchroniser(ABC):
    """Pairs images of two cameras; every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False

    def add_visible(self, message: AnyImage) -> None:
        with self._changed:
            self._store(0, message)
            self._changed.notify()

    def add_infrared(self, message: AnyImage) -> None:
        with self._changed:
            self._store(1, message)
            self._changed.notify()

    def take(self) -> Pair[AnyImage] | None:
        """Wait for the newest pair that nobody has taken; None once closed."""
        with self._changed:
            while not self._closed:
                pair, wait = self._next()
                if pair is not None:
                    return pair
                self._changed.wait(wait)
        return None

    def close(self) -> None:
        """End every `take`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget the images that wait, keep the counts."""
        with self._changed:
            self._forget()

    def report(self) -> SyncReport:
        with self._changed:
            return self._report()

    @abstractmethod
    def _store(self, camera: int, message: AnyImage) -> None: ...

    @abstractmethod
    def _next(self) -> tuple[Pair[AnyImage] | None, float | None]:
        """Return a pair, or else for how many seconds waiting for an image makes sense (None: for ever)."""

    @abstractmethod
    def _forget(self) -> None: ...

    @abstractmethod
    def _report(self) -> SyncReport: ...


class NearestSynchroniser(Synchroniser):
    """The project's own pairing, see `psfusion_core.stream.pairing`."""

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__()
        self._pairer: Pairer[AnyImage] = Pairer(
            settings.tolerance, settings.visible_offset, settings.infrared_offset, settings.queue_size
        )

    def _store(self, camera: int, message: AnyImage) -> None:
        add = self._pairer.add_infrared if camera else self._pairer.add_visible
        add(stamp_of(message.header), message, time.monotonic_ns())

    def _next(self) -> tuple[Pair[AnyImage] | None, float | None]:
        now = time.monotonic_ns()
        pair = self._pairer.take(now)
        deadline = self._pairer.deadline
        return pair, None if deadline is None else max(0, deadline - now) / NANOSECONDS

    def _forget(self) -> None:
        self._pairer.reset()

    def _report(self) -> SyncReport:
        visible, infrared = self._pairer.counts()
        return SyncReport(visible, infrared, self._pairer.resets, self._pairer.stream_difference)


class FilterSynchroniser(Synchroniser):
    """The pairing of message_filters, with the same offsets, and the newest pair kept for the worker.

    message_filters does not tell why it drops a frame: what is neither paired nor waiting counts as
    unmatched. It may pair out of order: a pair that is not after the one before is dropped as late. It keeps
    the greatest stamps and so never pairs again after a jump back: then its queues are emptied here.
    """

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__()
        try:
            import message_filters
        except ImportError as error:
            raise ValueError(
                f"expected message_filters for sync.policy {settings.policy}, found none: install "
                "ros-$ROS_DISTRO-message-filters or set sync.policy to nearest"
            ) from error
        self._offsets = (settings.visible_offset, settings.infrared_offset)
        self._inputs = (message_filters.SimpleFilter(), message_filters.SimpleFilter())
        if settings.policy == "exact":
            self._filter = message_filters.TimeSynchronizer(self._inputs, settings.queue_size)
        else:
            self._filter = message_filters.ApproximateTimeSynchronizer(
                self._inputs, settings.queue_size, settings.tolerance / NANOSECONDS
            )
        self._filter.registerCallback(self._paired)
        self._ready: Pair[AnyImage] | None = None
        self._newest: list[int | None] = [None, None]
        self._last_paired = [NEVER, NEVER]
        self._resets = 0
        self._counts = (StreamCounts(), StreamCounts())

    def _store(self, camera: int, message: AnyImage) -> None:
        stamp = stamp_of(message.header) + self._offsets[camera]
        self._counts[camera].received += 1
        newest = self._newest[camera]
        if newest is not None and stamp < newest - RESET_AFTER:
            self._forget()
            self._resets += 1
        self._newest[camera] = stamp
        if stamp < 0:  # rclpy knows no time before zero; the frame counts as unmatched
            return
        # message_filters reads header.stamp, and nothing else.
        time_message = Time(sec=stamp // NANOSECONDS, nanosec=stamp % NANOSECONDS)
        entry = Stamped(stamp, time.monotonic_ns(), message)
        self._inputs[camera].signalMessage(
            SimpleNamespace(header=SimpleNamespace(stamp=time_message), entry=entry)
        )

    def _paired(self, visible: Any, infrared: Any) -> None:
        pair = Pair(visible.entry, infrared.entry)
        stamps = [pair.visible.stamp, pair.infrared.stamp]
        late = any(stamp <= last for stamp, last in zip(stamps, self._last_paired, strict=True))
        for counts in self._counts:
            counts.dropped_late += late
            counts.superseded += not late and self._ready is not None
        if not late:
            self._ready, self._last_paired = pair, stamps

    def _next(self) -> tuple[Pair[AnyImage] | None, float | None]:
        pair, self._ready = self._ready, None
        for counts in self._counts:
            counts.paired += pair is not None
        return pair, None

    def _forget(self) -> None:
        for counts, queue in zip(self._counts, self._filter.queues, strict=True):
            counts.dropped_reset += len(queue) + (self._ready is not None)
            queue.clear()
        self._ready = None
        self._newest = [None, None]
        self._last_paired = [NEVER, NEVER]

    def _report(self) -> SyncReport:
        copies = []
        for counts, queue in zip(self._counts, self._filter.queues, strict=True):
            copy = StreamCounts(**vars(counts))
            copy.waiting = len(queue) + (self._ready is not None)
            known = copy.paired + copy.dropped_late + copy.dropped_reset + copy.superseded + copy.waiting
            copy.dropped_unmatched = copy.received - known
            copies.append(copy)
        visible, infrared = self._newest
        difference = None if visible is None or infrared is None else infrared - visible
        return SyncReport(copies[0], copies[1], self._resets, difference)


def create_synchroniser(settings: SyncSettings) -> Synchroniser:
    """Make the synchroniser of `settings.policy`; ValueError where message_filters is needed and missing."""
    return NearestSynchroniser(settings) if settings.policy == "nearest" else FilterSynchroniser(settings)
