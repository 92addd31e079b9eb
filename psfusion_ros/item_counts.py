"""Counts of what the worker did with pairs and unpaired images, and how long that took."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np

WINDOW = 1000
"""Timings that are kept at most between two snapshots."""


@dataclass
class ItemCounts:
    """What happened to the items (pairs or unpaired images) that the worker took.

    Attributes:
        published: Pairs whose pictures were published.
        passed: Items of which one camera's image was passed through.
        unwatched: Items that were not processed because no image topic had a subscriber.
        rejected: Items that cannot be used, for example because an image does not decode.
        failed: Pairs for which the fuser failed.
        worker_faults: How often the worker went on after an error outside the processing of an item.
        discarded: Items that were ready only after the node was disabled or shut down.
        last_rejection, last_failure, last_worker_fault: The latest reason of each.
        last_pair: When the worker took the latest pair, seconds of `time.monotonic`; None before the first.
        last_difference: Infrared minus visible stamp of the latest pair, ns.
        inference: Seconds from the frames of a pair to its pictures, of each pair since the last snapshot.
        latency: Seconds from the arrival of the later image to the end of publishing, likewise.
    """

    published: int = 0
    passed: int = 0
    unwatched: int = 0
    rejected: int = 0
    failed: int = 0
    worker_faults: int = 0
    discarded: int = 0
    last_rejection: str = ""
    last_failure: str = ""
    last_worker_fault: str = ""
    last_pair: float | None = None
    last_difference: int | None = None
    inference: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    latency: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))


class ItemCounter:
    """Counts in the worker's thread; any other thread may take a snapshot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = ItemCounts()

    def note_pair(self, difference: int) -> None:
        """Note that the worker took a pair whose stamps differ by so many nanoseconds."""
        with self._lock:
            self._counts.last_pair = time.monotonic()
            self._counts.last_difference = difference

    def note_rejection(self, reason: str) -> None:
        """Note why a pair is not fused, though one of its images is passed through."""
        with self._lock:
            self._counts.last_rejection = reason

    def count_published(self, inference: float, latency: float) -> None:
        with self._lock:
            self._counts.published += 1
            self._counts.inference.append(inference)
            self._counts.latency.append(latency)

    def count_passed(self, latency: float) -> None:
        with self._lock:
            self._counts.passed += 1
            self._counts.latency.append(latency)

    def count_unwatched(self) -> None:
        with self._lock:
            self._counts.unwatched += 1

    def count_discarded(self) -> None:
        with self._lock:
            self._counts.discarded += 1

    def count_rejected(self, reason: str) -> None:
        with self._lock:
            self._counts.rejected += 1
            self._counts.last_rejection = reason

    def count_failed(self, reason: str) -> None:
        with self._lock:
            self._counts.failed += 1
            self._counts.last_failure = reason

    def count_worker_fault(self, reason: str) -> None:
        with self._lock:
            self._counts.worker_faults += 1
            self._counts.last_worker_fault = reason

    def snapshot(self) -> ItemCounts:
        """Return a copy of the counts, with the timings since the last snapshot."""
        with self._lock:
            counts = copy(self._counts)
            self._counts.inference = deque(maxlen=WINDOW)
            self._counts.latency = deque(maxlen=WINDOW)
        return counts


def summary(seconds: Sequence[float] | deque[float]) -> str:
    """Return mean, 95th percentile and maximum in milliseconds, "none" without values."""
    if not seconds:
        return "none"
    values = np.asarray(seconds) * 1e3
    return f"mean {values.mean():.1f}, p95 {np.percentile(values, 95):.1f}, max {values.max():.1f} ms"
