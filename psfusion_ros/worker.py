"""The one thread that runs the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker(Generic[T]):
    """Takes one item after the other and processes it, in its own thread, until there is no more to take.

    Whoever gives the items out decides which one is next (the newest); nothing is queued here.
    """

    def __init__(
        self, take: Callable[[], T | None], process: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        """Get ready.

        Args:
            take: waits for the next item; None ends the work.
            process: what to do with an item.
            failed: told of every exception out of `process`; the work goes on.
        """
        self._take = take
        self._process = process
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name="psfusion_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait until the item in hand is processed; `take` must have ended the work."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (item := self._take()) is not None:
            try:
                self._process(item)
            except Exception as error:  # whatever it is, the next item may be fine
                self._failed(error)
