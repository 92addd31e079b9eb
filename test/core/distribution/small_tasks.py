"""Tasks small enough to count, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOUR = 3600
"""A task that takes as many seconds."""


@dataclass(frozen=True)
class Squares:
    """Squares numbers, and notes in a folder what was begun: one file a beginning.

    Attributes:
        folder: for the notes.
        deadly: kills its worker, the first `deaths` times that it is begun.
        deaths: how often.
        together: a worker begins when so many are there.
    """

    folder: Path
    deadly: int = -1
    deaths: int = 0
    together: int = 1

    def __call__(self) -> Callable[[int], tuple[int, int]]:
        (self.folder / f"worker-{os.getpid()}").touch()
        deadline = time.monotonic() + 60.0
        while workers(self.folder) < self.together and time.monotonic() < deadline:
            time.sleep(0.01)

        def square(number: int) -> tuple[int, int]:
            begun = len(list(self.folder.glob(f"task-{number}-*")))
            (self.folder / f"task-{number}-{begun}").touch()
            if number == self.deadly and begun < self.deaths:
                os.kill(os.getpid(), signal.SIGKILL)
            if number == HOUR:
                time.sleep(HOUR)
            if number == 1000:
                raise ValueError("a thousand is too many")
            return number, number * number

        return square


@dataclass(frozen=True)
class Unready:
    """Cannot load what it needs."""

    def __call__(self) -> Callable[[int], int]:
        raise FileNotFoundError("no such weights")


def begun(folder: Path) -> list[int]:
    """Return the numbers of the tasks that were begun, each as often as it was."""
    return sorted(int(path.name.split("-")[1]) for path in folder.glob("task-*"))


def workers(folder: Path) -> int:
    """Return how many processes were workers."""
    return len(list(folder.glob("worker-*")))
