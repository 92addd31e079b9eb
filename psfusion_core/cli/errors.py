"""The error that ends a command."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot go on; its message is one line that says what to do. Exit status 2."""
