"""Pairs the frames of two cameras by time stamp, without ROS and without a clock of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic

from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair, StreamCounts, T

PERIOD_WINDOW = 8
"""Number of recent intervals between frames from which a camera's shortest period is taken."""

RESET_AFTER = 1_000_000_000
"""Nanoseconds; a stamp further behind its camera's newest one is a jump of the clock, not a late frame."""


@dataclass(frozen=True)
class SyncSettings:
    """How frames are paired.

    Attributes:
        policy: Name of the policy: "nearest", or one of message_filters, "approximate" or "exact".
        tolerance: Largest difference of the stamps of a pair, ns.
        visible_offset: Added to every visible stamp, ns.
        infrared_offset: Added to every infrared stamp, ns.
        queue_size: Number of frames that may wait per camera.
    """

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
    """Number of consecutive frames with a stamp before the newest."""
    counts: StreamCounts = field(default_factory=StreamCounts)


class Pairer(Generic[T]):
    """Pairs each frame with the nearest frame of the other camera, and returns the newest pair, or all pairs.

    The pairer compares the oldest waiting frame of each camera. Call the one with the smaller stamp *first*,
    the other *second*, and the frame after *first* from the same camera its *successor*. *First* can only be
    paired with *second*. They are paired if they are within tolerance, unless the successor is nearer to
    *second*. So no frame is used twice, and pairs are in order in both streams. The pairs do not depend on
    which camera's frames arrive first, as long as the frames of each camera arrive in order.

    A pair is ready once no successor can be nearer. That is so if:

    - the two stamps are equal, or the successor has arrived and is not nearer;
    - the stamps differ by at most half of the shortest recent period of the camera that sent *first*. With
      synchronised cameras, the pair is therefore ready when its later frame arrives, without extra latency;
    - no successor has arrived, although a nearer one would have: one tolerance has passed since both frames
      arrived, and twice the difference of the stamps since *first* arrived. This happens if a camera pauses,
      or if single frames are sent.

    Memory is bounded: `capacity` frames wait per camera, and the oldest is dropped to make room. Unless all
    pairs are kept, a ready pair that was not taken is superseded: the next one replaces it. A stamp that is
    not after its camera's newest one is late or repeated, and its frame is dropped. If a stamp is more than
    `reset_after` behind, or if `capacity` frames in a row are behind, the clock has jumped (a bag that loops,
    a clock that was set back): every frame is dropped and pairing starts again.

    Not thread-safe. All times are in nanoseconds.

    Attributes:
        tolerance: Largest difference of the stamps of a pair, >= 0; may be changed at any time.
        resets: Number of jumps so far.
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
            tolerance: Largest difference of the stamps of a pair, >= 0.
            visible_offset: Added to every visible stamp.
            infrared_offset: Added to every infrared stamp.
            capacity: Number of frames that may wait per camera, >= 1.
            reset_after: A stamp further back than this is a jump of the clock, > 0.
            keeps_all: If True, every pair waits until it is taken, and the caller must take all ready pairs
                before it adds a frame; otherwise memory grows without bound.
        """
        if tolerance < 0 or capacity < 1 or reset_after < 1:
            raise ValueError(
                "expected tolerance >= 0, capacity >= 1 and reset_after >= 1, "
                f"got {tolerance}, {capacity} and {reset_after}: raise what is too small"
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
        """Add a visible frame with its stamp, and its arrival by the caller's steady clock."""
        self._add(self._visible, stamp, payload, arrival)

    def add_infrared(self, stamp: int, payload: T, arrival: int) -> None:
        """Add an infrared frame with its stamp, and its arrival by the caller's steady clock."""
        self._add(self._infrared, stamp, payload, arrival)

    def take(self, now: int) -> StampedPair[T] | None:
        """Return and remove a pair that is ready at `now` (by the clock of the arrivals), or None.

        It is the newest pair, or the oldest one if all pairs are kept.
        """
        self._settle(now)
        if not self._ready:
            return None
        self._visible.counts.paired += 1
        self._infrared.counts.paired += 1
        return self._ready.popleft()

    def take_alone(self, camera: Camera) -> Stamped[T] | None:
        """Return and remove the newest waiting frame of one camera, for when the other camera is missing.

        The older waiting frames of that camera count as superseded, and later frames must be newer than the
        returned one. A ready pair is older, so it must be taken first.

        Args:
            camera: The camera that still sends frames.

        Returns:
            The frame, or None if no frame of that camera waits or a pair is ready.
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
        """When to call `take` again if no frame arrives; None if only a new frame can make a pair."""
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
        """Newest infrared stamp minus newest visible stamp; None until each camera has sent a frame."""
        if self._visible.newest is None or self._infrared.newest is None:
            return None
        return self._infrared.newest - self._visible.newest

    def set_offsets(self, visible: int, infrared: int) -> None:
        """Change the offsets; drops every frame and stamp, because old and new stamps cannot be compared."""
        self.reset()
        self._visible.offset = visible
        self._infrared.offset = infrared

    def reset(self) -> None:
        """Drop every frame and stamp, but keep the counts."""
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
        """Decide about the oldest frames until a decision needs a frame that has not arrived."""
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
        """Return whether the earlier stream's next frame, one shortest period later, cannot be nearer."""
        return distance == 0 or (bool(earlier.intervals) and 2 * distance <= min(earlier.intervals))

    def _latest_decision(self, earlier: _Stream[T], later: _Stream[T]) -> int:
        first, second = earlier.waiting[0], later.waiting[0]
        # The stamp of a nearer successor is less than twice the difference after the first stamp. If its
        # transport delay equals that of the first frame, it arrives within that time of the first arrival.
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
