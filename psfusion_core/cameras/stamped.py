"""What pairing takes, gives and counts: frames with their time, pairs of them, and where all frames went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Camera = Literal["visible", "infrared"]


@dataclass(frozen=True)
class Stamped(Generic[T]):
    """A frame: stamp (ns, offset included), arrival (ns of any steady clock), and what was given."""

    stamp: int
    arrival: int
    payload: T


@dataclass(frozen=True)
class StampedPair(Generic[T]):
    """A visible and an infrared frame of the same moment."""

    visible: Stamped[T]
    infrared: Stamped[T]

    @property
    def difference(self) -> int:
        """Infrared stamp minus visible stamp, nanoseconds, offsets included."""
        return self.infrared.stamp - self.visible.stamp


@dataclass
class StreamCounts:
    """What became of the frames of one camera: received = waiting + all the others."""

    received: int = 0
    paired: int = 0
    alone: int = 0
    """Handed out without a partner, because the other camera was missing."""
    dropped_late: int = 0
    """Stamp before the newest one: out of order."""
    dropped_repeated: int = 0
    """Stamp equal to the newest one: sent twice, or a driver whose stamps stand still."""
    dropped_unmatched: int = 0
    """No partner within tolerance, or another frame was nearer to it, or it waited for one too long."""
    dropped_reset: int = 0
    """Forgotten because stamps jumped back, offsets changed or the pairing was reset."""
    superseded: int = 0
    """Ready, in a pair or alone, and replaced by a newer one before it was taken."""
    waiting: int = 0

    def in_words(self) -> str:
        """Return names and values in a line."""
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())
