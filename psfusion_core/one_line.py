"""Errors as a line of a log, of a report or of the standard error."""

from __future__ import annotations


def one_line(error: BaseException) -> str:
    """Return the message of an error without line breaks; of an error without a message, its type."""
    return " ".join(str(error).split()) or type(error).__name__


def typed_line(error: BaseException) -> str:
    """Return the type of an error and, where it has one, its message, in one line."""
    name, message = type(error).__name__, one_line(error)
    return name if message == name else f"{name}: {message}"
