"""The synchroniser that pairs each image with its nearest partner, see `psfusion_core.cameras.pairing`."""

from __future__ import annotations

import time

from psfusion_core.cameras.image_decoding import NANOSECONDS, stamp_of
from psfusion_core.cameras.pairing import Pairer, SyncSettings
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.synchroniser import Synchroniser, SyncReport


class NearestSynchroniser(Synchroniser):
    """Leaves the pairing to `Pairer`."""

    def __init__(self, settings: SyncSettings) -> None:
        super().__init__()
        self._settings = settings
        self._pairer: Pairer[AnyImage] = Pairer(
            settings.tolerance, settings.visible_offset, settings.infrared_offset, settings.queue_size
        )

    def _add(self, camera: Camera, message: AnyImage) -> None:
        add = self._pairer.add_infrared if camera == "infrared" else self._pairer.add_visible
        add(stamp_of(message.header), message, time.monotonic_ns())

    def _take_pair(self) -> StampedPair[AnyImage] | None:
        return self._pairer.take(time.monotonic_ns())

    def _take_unpaired(self, camera: Camera) -> Stamped[AnyImage] | None:
        return self._pairer.take_alone(camera)

    def _seconds_to_decision(self) -> float | None:
        deadline = self._pairer.deadline
        return None if deadline is None else max(0, deadline - time.monotonic_ns()) / NANOSECONDS

    def _reset(self) -> None:
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
