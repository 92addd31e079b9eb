"""Spans of time in the unit that people would use."""

from __future__ import annotations

UNITS = {"years": 365.25 * 86_400, "days": 86_400.0, "hours": 3_600.0, "minutes": 60.0}
"""Seconds of each, the longest first; a span of less than two of one is told in the next."""


def duration_in_words(nanoseconds: float) -> str:
    """Return a span as text, without its sign: from "12 ms" over "3.5 s" to "54 years"."""
    seconds = abs(nanoseconds) / 1e9
    for unit, size in UNITS.items():
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
