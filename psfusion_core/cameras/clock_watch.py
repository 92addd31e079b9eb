"""Watches the stamps of one camera and names the problem if pairing cannot rely on them."""

from __future__ import annotations

from collections import Counter, deque
from itertools import pairwise
from statistics import median, pstdev
from typing import Literal

from psfusion_core.base.wording import duration_in_words

WINDOW = 30
"""Number of recent frames that the verdict and the measurements use."""

ENOUGH = 5
"""Number of frames before the first verdict."""

JUMP = 1_000_000_000
"""Nanoseconds; stamps that move further against the receiver's clock have jumped."""

AHEAD_LIMIT = 250_000_000
"""Nanoseconds that stamps may be ahead of the receiver; a simulated clock moves in steps of up to 0.1 s."""

BEHIND_LIMIT = 5_000_000_000
"""Nanoseconds that stamps may be behind the receiver; no exposure and no network takes so long."""

EPOCH_LIMIT = 10 * 365 * 86_400 * 1_000_000_000
"""Nanoseconds since 1970; earlier stamps do not count from 1970, because today's cameras are newer."""

Kind = Literal["good", "zero", "repeated", "backwards", "jump"]


class ClockWatch:
    """Watches the stamps of one camera as its frames arrive, and remembers WINDOW frames.

    Not thread-safe. All times are in nanoseconds.
    """

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        self._recent: deque[Kind] = deque(maxlen=WINDOW)
        self._frames: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        """Stamps and arrivals of the frames in order since the last jump."""

    def update(self, stamp_ns: int, now_ns: int) -> None:
        """Add the stamp of the next frame, and the time of the receiver's clock, which has the same epoch."""
        kind = self._judge(stamp_ns, now_ns)
        self._counts[kind] += 1
        self._recent.append(kind)
        if kind in ("good", "jump"):
            if kind == "jump" or (self._frames and stamp_ns < self._frames[-1][0]):
                self._frames.clear()
            self._frames.append((stamp_ns, now_ns))

    @property
    def zero_stamps(self) -> int:
        """Number of frames whose stamp is zero, which means that it was never set."""
        return self._counts["zero"]

    @property
    def repeated(self) -> int:
        """Number of frames with the same stamp as the newest frame."""
        return self._counts["repeated"]

    @property
    def backwards(self) -> int:
        """Number of frames out of order: the stamp is before the newest one, by less than a jump."""
        return self._counts["backwards"]

    @property
    def jumps(self) -> int:
        """Number of frames whose stamp moved by more than JUMP beyond what their arrival explains."""
        return self._counts["jump"]

    @property
    def delay_ns(self) -> int | None:
        """Median of arrival minus stamp, negative if stamps are ahead; None before the first good stamp."""
        return round(median(now - stamp for stamp, now in self._frames)) if self._frames else None

    @property
    def rate_hz(self) -> float | None:
        """Frames per second by their stamps; None before two good stamps."""
        if len(self._frames) < 2:
            return None
        return (len(self._frames) - 1) * 1e9 / (self._frames[-1][0] - self._frames[0][0])

    @property
    def jitter_ns(self) -> float | None:
        """Standard deviation of the intervals between stamps; None before two intervals."""
        intervals = [later - earlier for (earlier, _), (later, _) in pairwise(self._frames)]
        return pstdev(intervals) if len(intervals) >= 2 else None

    def verdict(self) -> str | None:
        """Return one line about the worst problem of the recent stamps, or None if there is none."""
        recent, count = Counter(self._recent), len(self._recent)
        disordered = recent["backwards"] + recent["repeated"]
        if count < ENOUGH:
            return None
        if recent["zero"]:
            part = "all" if recent["zero"] == count else f"{recent['zero']} of the last {count}"
            return f"stamps are {part} zero: set header.stamp in the driver"
        if recent["repeated"] > count // 2:
            return (
                f"stamps do not advance: {recent['repeated']} of the last {count} are repeated: "
                "set header.stamp of every image in the driver"
            )
        if recent["jump"]:
            return (
                f"stamps jumped against this node's clock, {recent['jump']} of the last {count} by more than "
                f"{JUMP / 1e9:g} s: let the clocks be slewed, not set, and one publisher use the topic"
            )
        if disordered:
            return (
                f"stamps are out of order or repeated, {disordered} of the last {count}: "
                "check that one publisher uses the topic"
            )
        return self._verdict_on_delay()

    def _verdict_on_delay(self) -> str | None:
        delay = self.delay_ns or 0
        cure = "synchronise the clocks (chrony, PTP)"
        if -delay > AHEAD_LIMIT:
            return f"stamps are {duration_in_words(delay)} ahead of this node's clock: {cure}"
        if delay <= BEHIND_LIMIT:
            return None
        span = duration_in_words(delay)
        if self._frames[-1][0] < EPOCH_LIMIT:
            return (
                f"stamps are {span} behind this node's clock, as if counted since boot: let the driver stamp "
                "with the system's clock, or set use_sim_time for a simulation"
            )
        return f"stamps are {span} behind this node's clock: {cure}, or set use_sim_time for a recording"

    def _judge(self, stamp: int, now: int) -> Kind:
        if stamp == 0:
            return "zero"
        if not self._frames:
            return "good"
        newest, arrival = self._frames[-1]
        step, elapsed = stamp - newest, now - arrival
        if step == 0:
            return "repeated"
        # A frame may be slower on its way than those before it, but hardly faster than the fastest one.
        if stamp - now > max(s - n for s, n in self._frames) + JUMP:
            return "jump"
        if step < -JUMP:  # if the receiver's clock went back as far, a recording has restarted
            return "good" if abs(step - elapsed) <= JUMP else "jump"
        return "good" if step > 0 else "backwards"
