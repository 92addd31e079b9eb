"""Errors as a line of a log, of a report or of the standard error."""

from __future__ import annotations


def one_line(error: BaseException) -> str:
    """Return the message of an error without line breaks; of an error without a message, its type."""
    return " ".join(str(error).split()) or type(error).__name__
