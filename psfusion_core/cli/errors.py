"""The error that ends a command."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot continue. The message is one line that says what to do. The exit status is 2."""
