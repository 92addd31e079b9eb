"""The function that a worker calls for each task, and the error of a task that kills every worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

TaskFunction: TypeAlias = Callable[[T], R]
"""Runs a task and returns its result."""

StartWorker: TypeAlias = Callable[[], Callable[[T], R]]
"""Loads what all tasks need, and returns the task function. Every worker calls it once. It is pickled."""

ATTEMPTS = 3
"""Number of workers that may die on a task before the task is given up."""


class TaskError(ChildProcessError):
    """The worker of a task died in every attempt. The message is one line."""
