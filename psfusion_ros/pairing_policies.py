"""The synchronisers: the project's own pairing, and those of message_filters."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.duration import Duration

from psfusion_core.cameras.image_decoding import NANOSECONDS, stamp_of
from psfusion_core.cameras.pairing import RESET_AFTER, Pairer, SyncSettings
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair, StreamCounts
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.synchroniser import Synchroniser, SyncReport

NEVER = -(1 << 63)


def create_synchroniser(settings: SyncSettings) -> Synchroniser:
    """Make the synchroniser of `settings.policy`; ValueError where message_filters is needed and missing."""
    return NearestSynchroniser(settings) if settings.policy == "nearest" else FilterSynchroniser(settings)


class NearestSynchroniser(Synchroniser):
    """The project's own pairing, see `psfusion_core.cameras.pairing`."""

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__()
        self._settings = settings
        self._pairer: Pairer[AnyImage] = Pairer(
            settings.tolerance, settings.visible_offset, settings.infrared_offset, settings.queue_size
        )

    def _store(self, camera: Camera, message: AnyImage) -> None:
        add = self._pairer.add_infrared if camera == "infrared" else self._pairer.add_visible
        add(stamp_of(message.header), message, time.monotonic_ns())

    def _next(self) -> tuple[StampedPair[AnyImage] | None, float | None]:
        now = time.monotonic_ns()
        pair = self._pairer.take(now)
        deadline = self._pairer.deadline
        return pair, None if deadline is None else max(0, deadline - now) / NANOSECONDS

    def _take_alone(self, camera: Camera) -> Stamped[AnyImage] | None:
        return self._pairer.take_alone(camera)

    def _forget(self) -> None:
        self._pairer.reset()

    def _retune(self, settings: SyncSettings) -> None:
        before, self._settings = self._settings, settings
        self._pairer.tolerance = settings.tolerance
        offsets = settings.visible_offset, settings.infrared_offset
        if offsets != (before.visible_offset, before.infrared_offset):
            self._pairer.set_offsets(*offsets)

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
        self._offsets = {"visible": settings.visible_offset, "infrared": settings.infrared_offset}
        self._inputs = {"visible": message_filters.SimpleFilter(), "infrared": message_filters.SimpleFilter()}
        inputs = list(self._inputs.values())
        self._is_exact = settings.policy == "exact"
        if self._is_exact:
            self._filter = message_filters.TimeSynchronizer(inputs, settings.queue_size)
        else:
            self._filter = message_filters.ApproximateTimeSynchronizer(
                inputs, settings.queue_size, settings.tolerance / NANOSECONDS
            )
        self._filter.registerCallback(self._paired)
        self._ready: StampedPair[AnyImage] | None = None
        self._newest: dict[str, int | None] = dict.fromkeys(self._inputs)
        self._last_paired = dict.fromkeys(self._inputs, NEVER)
        self._resets = 0
        self._counts = {camera: StreamCounts() for camera in self._inputs}

    def _store(self, camera: Camera, message: AnyImage) -> None:
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
        pair = StampedPair(visible.entry, infrared.entry)
        stamps = {"visible": pair.visible.stamp, "infrared": pair.infrared.stamp}
        late = any(stamp <= self._last_paired[camera] for camera, stamp in stamps.items())
        for counts in self._counts.values():
            counts.dropped_late += late
            counts.superseded += not late and self._ready is not None
        if not late:
            self._ready, self._last_paired = pair, stamps

    def _next(self) -> tuple[StampedPair[AnyImage] | None, float | None]:
        pair, self._ready = self._ready, None
        for counts in self._counts.values():
            counts.paired += pair is not None
        return pair, None

    def _take_alone(self, camera: Camera) -> Stamped[AnyImage] | None:
        queue = self._queue(camera)
        if not queue:
            return None
        entry: Stamped[AnyImage] = queue[max(queue)].entry
        self._counts[camera].superseded += len(queue) - 1
        queue.clear()
        if entry.stamp <= self._last_paired[camera]:
            self._counts[camera].dropped_late += 1
            return None
        self._counts[camera].alone += 1
        self._last_paired[camera] = entry.stamp
        return entry

    def _queue(self, camera: str) -> Any:
        return self._filter.queues[list(self._inputs).index(camera)]

    def _forget(self) -> None:
        for camera, counts in self._counts.items():
            counts.dropped_reset += len(self._queue(camera)) + (self._ready is not None)
            self._queue(camera).clear()
        self._ready = None
        self._newest = dict.fromkeys(self._inputs)
        self._last_paired = dict.fromkeys(self._inputs, NEVER)

    def _retune(self, settings: SyncSettings) -> None:
        if not self._is_exact:
            self._filter.slop = Duration(nanoseconds=settings.tolerance)
        offsets = {"visible": settings.visible_offset, "infrared": settings.infrared_offset}
        if offsets != self._offsets:  # what waits has stamps of the offsets before
            self._forget()
            self._offsets = offsets

    def _report(self) -> SyncReport:
        copies = {}
        for camera, counts in self._counts.items():
            copy = StreamCounts(**vars(counts))
            copy.waiting = len(self._queue(camera)) + (self._ready is not None)
            known = sum(vars(copy).values()) - copy.received - copy.dropped_unmatched
            copy.dropped_unmatched = copy.received - known
            copies[camera] = copy
        visible, infrared = self._newest["visible"], self._newest["infrared"]
        difference = None if visible is None or infrared is None else infrared - visible
        return SyncReport(copies["visible"], copies["infrared"], self._resets, difference)
