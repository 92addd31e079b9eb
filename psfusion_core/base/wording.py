"""Text for messages: errors in one line, the nearest known name, durations."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

UNITS = {"years": 365.25 * 86_400, "days": 86_400.0, "hours": 3_600.0, "minutes": 60.0}
"""Seconds of each unit, longest first. A duration shorter than two of a unit is given in the next one."""


def one_line(error: BaseException) -> str:
    """Return the message of an error without line breaks, or its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


def typed_line(error: BaseException) -> str:
    """Return the type of an error and its message, if it has one, in one line."""
    name, message = type(error).__name__, one_line(error)
    return name if message == name else f"{name}: {message}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most similar to a misspelt one. `known` has at least one name."""
    return difflib.get_close_matches(name, list(known), 1, 0.0)[0]


def duration_in_words(nanoseconds: float) -> str:
    """Return a duration without its sign as text, such as "12 ms", "3.5 s" or "54 years"."""
    seconds = abs(nanoseconds) / 1e9
    for unit, size in UNITS.items():
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
