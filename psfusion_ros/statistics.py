"""What the worker did with its pairs: counts since start, and timings since the last look."""

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
class PairStatistics:
    """Fate of the pairs that the worker took.

    Attributes:
        published: pairs whose outputs were published.
        unwatched: pairs not computed because no output topic had a subscriber.
        rejected: pairs that cannot be fused (sizes that differ or are too small, pixels that do not decode).
        failed: pairs that the engine failed on.
        discarded: pairs whose result came after the node was disabled or told to stop.
        last_rejection, last_failure: the latest reason of each.
        last_pair: when the worker took the latest pair, seconds of `time.monotonic`, None before.
        last_difference: infrared minus visible stamp of the latest pair, ns.
        inference: seconds in the engine, per pair since the last look.
        latency: seconds from the arrival of the later image to the end of publishing, likewise.
    """

    published: int = 0
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


class PairRecorder:
    """Takes notes in the worker's thread, shows them in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statistics = PairStatistics()

    def taken(self, difference: int) -> None:
        with self._lock:
            self._statistics.last_pair = time.monotonic()
            self._statistics.last_difference = difference

    def published(self, inference: float, latency: float) -> None:
        with self._lock:
            self._statistics.published += 1
            self._statistics.inference.append(inference)
            self._statistics.latency.append(latency)

    def unwatched(self) -> None:
        with self._lock:
            self._statistics.unwatched += 1

    def discarded(self) -> None:
        with self._lock:
            self._statistics.discarded += 1

    def rejected(self, reason: str) -> None:
        with self._lock:
            self._statistics.rejected += 1
            self._statistics.last_rejection = reason

    def failed(self, reason: str) -> None:
        with self._lock:
            self._statistics.failed += 1
            self._statistics.last_failure = reason

    def look(self) -> PairStatistics:
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
