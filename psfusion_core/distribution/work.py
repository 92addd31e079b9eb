"""What a worker does with a task, and the error of a task that no worker survives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Work: TypeAlias = Callable[[T], R]
"""Does a task and returns its result."""

Start: TypeAlias = Callable[[], Callable[[T], R]]
"""Makes the work. Every worker calls it once, to load what all tasks need. It is pickled."""

ATTEMPTS = 3
"""How often a task is begun before it is held responsible for the death of its workers."""


class TaskError(ChildProcessError):
    """A task whose worker died each time; the message is one line."""
