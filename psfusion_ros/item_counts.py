"""What the worker did with what it took: counts since start, and timings since the last look."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np

WINDOW = 1000
"""Timings that are kept at most between two looks."""


@dataclass
class ItemStatistics:
    """Fate of the items, pairs or images without a partner, that the worker took.

    Attributes:
        published: pairs whose outputs were published.
        passed: items of which one camera's image was passed through.
        unwatched: items not computed because no output topic had a subscriber.
        rejected: items that cannot be used (sizes that do not fit, pixels that do not decode).
        failed: pairs that the engine failed on.
        discarded: items whose result came after the node was disabled or told to stop.
        last_rejection, last_failure: the latest reason of each.
        last_pair: when the worker took the latest pair, seconds of `time.monotonic`, None before.
        last_difference: infrared minus visible stamp of the latest pair, ns.
        inference: seconds from the frames of a pair to its pictures on the host, of each since the last look.
        latency: seconds from the arrival of the later image to the end of publishing, likewise.
    """

    published: int = 0
    passed: int = 0
    unwatched: int = 0
    rejected: int = 0
    failed: int = 0
    discarded: int = 0
    last_rejection: str = ""
    last_failure: str = ""
    last_pair: float | None = None
    last_difference: int | None = None
    inference: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    latency: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))


class ItemRecorder:
    """Takes notes in the worker's thread, shows them in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statistics = ItemStatistics()

    def taken(self, difference: int | None) -> None:
        """Note an item: a pair with the difference of its stamps, ns, or an image alone."""
        if difference is None:
            return
        with self._lock:
            self._statistics.last_pair = time.monotonic()
            self._statistics.last_difference = difference

    def published(self, inference: float, latency: float) -> None:
        with self._lock:
            self._statistics.published += 1
            self._statistics.inference.append(inference)
            self._statistics.latency.append(latency)

    def passed(self, latency: float) -> None:
        with self._lock:
            self._statistics.passed += 1
            self._statistics.latency.append(latency)

    def unwatched(self) -> None:
        with self._lock:
            self._statistics.unwatched += 1

    def discarded(self) -> None:
        with self._lock:
            self._statistics.discarded += 1

    def excused(self, reason: str) -> None:
        """Note why a pair is not fused, though an image of it is passed through."""
        with self._lock:
            self._statistics.last_rejection = reason

    def rejected(self, reason: str) -> None:
        with self._lock:
            self._statistics.rejected += 1
            self._statistics.last_rejection = reason

    def failed(self, reason: str) -> None:
        with self._lock:
            self._statistics.failed += 1
            self._statistics.last_failure = reason

    def look(self) -> ItemStatistics:
        """Return a copy, and start collecting timings anew."""
        with self._lock:
            shown = copy(self._statistics)
            self._statistics.inference = deque(maxlen=WINDOW)
            self._statistics.latency = deque(maxlen=WINDOW)
        return shown


def summary(seconds: Sequence[float] | deque[float]) -> str:
    """Return mean, 95th percentile and maximum in milliseconds, "none" without values."""
    if not seconds:
        return "none"
    values = np.asarray(seconds) * 1e3
    return f"mean {values.mean():.1f}, p95 {np.percentile(values, 95):.1f}, max {values.max():.1f} ms"
