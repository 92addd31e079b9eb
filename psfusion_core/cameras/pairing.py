"""Pairing of two camera streams by time stamp, without ROS and without a clock of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic

from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair, StreamCounts, T

PERIOD_WINDOW = 8
"""Intervals between frames from which a camera's shortest period is read."""

RESET_AFTER = 1_000_000_000
"""A stamp further behind its camera's newest than this, ns, is a jump of the clock, not a late frame."""


@dataclass(frozen=True)
class SyncSettings:
    """How to pair: tolerance and offsets in nanoseconds, queue size in frames per camera."""

    policy: str
    tolerance: int
    visible_offset: int
    infrared_offset: int
    queue_size: int


@dataclass
class _Stream(Generic[T]):
    offset: int
    waiting: deque[Stamped[T]] = field(default_factory=deque)
    intervals: deque[int] = field(default_factory=lambda: deque(maxlen=PERIOD_WINDOW))
    newest: int | None = None
    behind: int = 0
    """Frames in a row with a stamp before the newest."""
    counts: StreamCounts = field(default_factory=StreamCounts)


class Pairer(Generic[T]):
    """Pairs each frame with its nearest partner of the other camera, and hands out the newest pair, or all.

    Of the two oldest frames that wait, one of each camera, the earlier one can only be paired with the later
    one. It is, if they are within tolerance, unless its own successor is nearer to that one. So no frame is
    used twice, pairs are in order in both streams, and which pairs come out does not depend on which camera's
    frames arrive first (as long as each camera's arrive in order).

    A pair is ready as soon as that successor cannot be nearer:
    - the two stamps are equal, or the successor is there (then it is a comparison), or
    - the stamps are at most half of the earlier camera's shortest recent period apart: with synchronised
      cameras the pair is ready when its second frame arrives, with no frame of latency, or
    - the successor has not come although one that is nearer would have: one tolerance has passed since the
      later frame's arrival, and twice the difference of the stamps since the earlier frame's (a camera
      paused, or single frames were sent).

    Memory is bounded: `capacity` frames wait per camera, the oldest gives way. A stamp that is not after its
    camera's newest is late or repeated, and dropped. More than `reset_after` behind, or behind for `capacity`
    frames in a row, is a jump (a bag that loops, a clock set back): everything is forgotten and pairing
    starts again.

    Not thread-safe. All times are in nanoseconds.

    Attributes:
        tolerance: largest difference of the stamps of a pair, >= 0; may be changed at any time.
        capacity: frames that may wait per camera.
        reset_after: a stamp further back than this is a jump of the clock.
        keeps_all: no pair is superseded.
        resets: jumps so far.
    """

    def __init__(
        self,
        tolerance: int,
        visible_offset: int = 0,
        infrared_offset: int = 0,
        capacity: int = 10,
        reset_after: int = RESET_AFTER,
        keeps_all: bool = False,
    ) -> None:
        """Start empty.

        Args:
            tolerance: largest difference of the stamps of a pair, >= 0.
            visible_offset: added to every visible stamp.
            infrared_offset: added to every infrared stamp.
            capacity: frames that may wait per camera, >= 1.
            reset_after: a stamp further back than this is a jump of the clock, > 0.
            keeps_all: a pair waits until it is taken, whatever comes after it; the caller takes all that are
                ready before it adds a frame, or memory grows. Else a newer pair takes its place.
        """
        if tolerance < 0 or capacity < 1 or reset_after < 1:
            raise ValueError(
                "expected tolerance >= 0, capacity >= 1 and reset_after >= 1, "
                f"got {tolerance}, {capacity} and {reset_after}"
            )
        self.tolerance = tolerance
        self.capacity = capacity
        self.reset_after = reset_after
        self.keeps_all = keeps_all
        self.resets = 0
        self._visible: _Stream[T] = _Stream(visible_offset)
        self._infrared: _Stream[T] = _Stream(infrared_offset)
        self._ready: deque[StampedPair[T]] = deque()

    def add_visible(self, stamp: int, payload: T, arrival: int) -> None:
        """Give a visible frame with its stamp, and when it arrived by the caller's steady clock."""
        self._add(self._visible, stamp, payload, arrival)

    def add_infrared(self, stamp: int, payload: T, arrival: int) -> None:
        """Give an infrared frame with its stamp, and when it arrived by the caller's steady clock."""
        self._add(self._infrared, stamp, payload, arrival)

    def take(self, now: int) -> StampedPair[T] | None:
        """Hand out a pair that is ready at `now` (by the clock of the arrivals), once; else None.

        It is the newest one, or the oldest one where all are kept.
        """
        self._settle(now)
        if not self._ready:
            return None
        self._visible.counts.paired += 1
        self._infrared.counts.paired += 1
        return self._ready.popleft()

    def take_alone(self, camera: Camera) -> Stamped[T] | None:
        """Hand out the newest frame that waits of one camera, once, for when the other camera is missing.

        The older ones that wait of that camera count as superseded. From then on what is not after that frame
        is late. Order is kept: while a pair is ready, which is older, there is no single frame; `take` it.

        Args:
            camera: which one.

        Returns:
            The frame, or None if none of that camera waits or a pair is ready.
        """
        stream = self._visible if camera == "visible" else self._infrared
        if self._ready or not stream.waiting:
            return None
        newest = stream.waiting.pop()
        stream.counts.alone += 1
        stream.counts.superseded += len(stream.waiting)
        stream.waiting.clear()
        return newest

    @property
    def deadline(self) -> int | None:
        """When `take` is worth another try though no frame arrives; None if only a frame can help."""
        if not (self._visible.waiting and self._infrared.waiting):
            return None
        return self._latest_decision(*self._heads())

    def counts(self) -> tuple[StreamCounts, StreamCounts]:
        """Return copies of the counts of the visible and of the infrared stream."""
        ready = len(self._ready)
        visible, infrared = (
            StreamCounts(**{**vars(stream.counts), "waiting": len(stream.waiting) + ready})
            for stream in (self._visible, self._infrared)
        )
        return visible, infrared

    @property
    def stream_difference(self) -> int | None:
        """Newest infrared stamp minus newest visible stamp, offsets included; None before both came."""
        if self._visible.newest is None or self._infrared.newest is None:
            return None
        return self._infrared.newest - self._visible.newest

    def set_offsets(self, visible: int, infrared: int) -> None:
        """Change what is added to the stamps; forgets every frame and stamp, which no longer compare."""
        self.reset()
        self._visible.offset = visible
        self._infrared.offset = infrared

    def reset(self) -> None:
        """Forget every frame and stamp, keep the counts."""
        for stream in (self._visible, self._infrared):
            stream.counts.dropped_reset += len(self._ready) + len(stream.waiting)
            stream.waiting.clear()
            stream.intervals.clear()
            stream.newest = None
            stream.behind = 0
        self._ready.clear()

    def _add(self, stream: _Stream[T], stamp: int, payload: T, arrival: int) -> None:
        stamp += stream.offset
        stream.counts.received += 1
        if self._jumped_back(stream, stamp):
            self.reset()
            self.resets += 1
        if stream.newest is not None:
            if stamp == stream.newest:
                stream.counts.dropped_repeated += 1
                return
            if stamp < stream.newest:
                stream.behind += 1
                stream.counts.dropped_late += 1
                return
            stream.intervals.append(stamp - stream.newest)
        stream.behind = 0
        stream.newest = stamp
        stream.waiting.append(Stamped(stamp, arrival, payload))
        self._settle(arrival)
        if len(stream.waiting) > self.capacity:
            self._drop_oldest(stream)

    def _jumped_back(self, stream: _Stream[T], stamp: int) -> bool:
        if stream.newest is None or stamp >= stream.newest:
            return False
        return stamp < stream.newest - self.reset_after or stream.behind >= self.capacity

    def _settle(self, now: int) -> None:
        """Decide about the oldest frames until a decision needs a frame that has not come."""
        while self._visible.waiting and self._infrared.waiting:
            earlier, later = self._heads()
            distance = later.waiting[0].stamp - earlier.waiting[0].stamp
            if distance > self.tolerance:
                self._drop_oldest(earlier)
            elif len(earlier.waiting) > 1:
                if abs(earlier.waiting[1].stamp - later.waiting[0].stamp) < distance:
                    self._drop_oldest(earlier)
                else:
                    self._pair_oldest()
            elif self._is_certain(earlier, distance) or now >= self._latest_decision(earlier, later):
                self._pair_oldest()
            else:
                return

    def _heads(self) -> tuple[_Stream[T], _Stream[T]]:
        """Return the streams ordered by the stamp of their oldest waiting frame."""
        if self._visible.waiting[0].stamp <= self._infrared.waiting[0].stamp:
            return self._visible, self._infrared
        return self._infrared, self._visible

    def _is_certain(self, earlier: _Stream[T], distance: int) -> bool:
        """Tell whether the earlier stream's next frame, one shortest period on, cannot be nearer."""
        return distance == 0 or (bool(earlier.intervals) and 2 * distance <= min(earlier.intervals))

    def _latest_decision(self, earlier: _Stream[T], later: _Stream[T]) -> int:
        first, second = earlier.waiting[0], later.waiting[0]
        # A nearer successor's stamp is less than that far behind the first one's; if it takes as long on its
        # way, so is its arrival.
        due = first.arrival + 2 * (second.stamp - first.stamp)
        return max(first.arrival + self.tolerance, second.arrival + self.tolerance, due)

    def _drop_oldest(self, stream: _Stream[T]) -> None:
        stream.waiting.popleft()
        stream.counts.dropped_unmatched += 1

    def _pair_oldest(self) -> None:
        if self._ready and not self.keeps_all:
            self._ready.clear()
            self._visible.counts.superseded += 1
            self._infrared.counts.superseded += 1
        self._ready.append(StampedPair(self._visible.waiting.popleft(), self._infrared.waiting.popleft()))
