"""The synchroniser that pairs with message_filters, for the sync policies approximate and exact."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.duration import Duration

from psfusion_core.cameras.image_decoding import NANOSECONDS, stamp_of
from psfusion_core.cameras.pairing import RESET_AFTER, SyncSettings
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair, StreamCounts
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.synchroniser import Synchroniser, SyncReport

NEVER = -(1 << 63)


class FilterSynchroniser(Synchroniser):
    """Leaves the pairing to message_filters, and keeps the newest pair for the worker.

    message_filters does not say why it drops an image, so an image that is neither paired nor waiting counts
    as unmatched. It may pair out of order, so a pair that is not later than its predecessor is dropped as
    late. It never pairs again after the stamps jump back, so its queues are emptied here when they do.
    """

    def __init__(self, settings: SyncSettings) -> None:
        """Create the filter.

        Raises:
            ValueError: The package message_filters is not installed.
        """
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
        self._filter.registerCallback(self._keep_pair)
        self._ready: StampedPair[AnyImage] | None = None
        self._newest: dict[str, int | None] = dict.fromkeys(self._inputs)
        self._last_paired = dict.fromkeys(self._inputs, NEVER)
        self._resets = 0
        self._counts = {camera: StreamCounts() for camera in self._inputs}

    def _add(self, camera: Camera, message: AnyImage) -> None:
        stamp = stamp_of(message.header) + self._offsets[camera]
        self._counts[camera].received += 1
        newest = self._newest[camera]
        if newest is not None and stamp < newest - RESET_AFTER:
            self._reset()
            self._resets += 1
        self._newest[camera] = stamp
        if stamp < 0:  # rclpy has no time before zero; the image counts as unmatched
            return
        # message_filters reads header.stamp and nothing else.
        time_message = Time(sec=stamp // NANOSECONDS, nanosec=stamp % NANOSECONDS)
        image = Stamped(stamp, time.monotonic_ns(), message)
        self._inputs[camera].signalMessage(
            SimpleNamespace(header=SimpleNamespace(stamp=time_message), image=image)
        )

    def _keep_pair(self, visible: Any, infrared: Any) -> None:
        pair = StampedPair(visible.image, infrared.image)
        stamps = {"visible": pair.visible.stamp, "infrared": pair.infrared.stamp}
        is_late = any(stamp <= self._last_paired[camera] for camera, stamp in stamps.items())
        for counts in self._counts.values():
            counts.dropped_late += is_late
            counts.superseded += not is_late and self._ready is not None
        if not is_late:
            self._ready, self._last_paired = pair, stamps

    def _take_pair(self) -> StampedPair[AnyImage] | None:
        pair, self._ready = self._ready, None
        for counts in self._counts.values():
            counts.paired += pair is not None
        return pair

    def _take_unpaired(self, camera: Camera) -> Stamped[AnyImage] | None:
        queue = self._queue(camera)
        if not queue:
            return None
        image: Stamped[AnyImage] = queue[max(queue)].image
        self._counts[camera].superseded += len(queue) - 1
        queue.clear()
        if image.stamp <= self._last_paired[camera]:
            self._counts[camera].dropped_late += 1
            return None
        self._counts[camera].alone += 1
        self._last_paired[camera] = image.stamp
        return image

    def _queue(self, camera: str) -> Any:
        return self._filter.queues[list(self._inputs).index(camera)]

    def _reset(self) -> None:
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
        if offsets != self._offsets:  # waiting images have stamps with the offsets before
            self._reset()
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
