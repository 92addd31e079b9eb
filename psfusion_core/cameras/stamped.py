"""The data of pairing: stamped frames, pairs of them, and counts of what happened to every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Camera = Literal["visible", "infrared"]


@dataclass(frozen=True)
class Stamped(Generic[T]):
    """A frame with its stamp and arrival.

    Attributes:
        stamp: Stamp, ns, offset included.
        arrival: When the frame arrived, ns of any steady clock.
        payload: The frame itself, of any type.
    """

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
    """Counts of what happened to the frames of one camera: received = waiting + all other counts."""

    received: int = 0
    paired: int = 0
    alone: int = 0
    """Returned without a partner, because the other camera was missing."""
    dropped_late: int = 0
    """Out of order: the stamp is before the newest one."""
    dropped_repeated: int = 0
    """The stamp equals the newest one: the frame was sent twice, or the driver repeats its stamps."""
    dropped_unmatched: int = 0
    """No partner was within tolerance, another frame was nearer to it, or too many frames waited."""
    dropped_reset: int = 0
    """Dropped because stamps jumped back, offsets changed or the pairing was reset."""
    superseded: int = 0
    """Ready, in a pair or alone, but replaced by a newer frame before it was taken."""
    waiting: int = 0
    """Not decided yet, or in a pair that was not taken yet."""

    def in_words(self) -> str:
        """Return names and values in one line."""
        return ", ".join(f"{name} {value}" for name, value in vars(self).items())
