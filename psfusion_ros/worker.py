"""The thread in which pairs are decoded, fused and published."""

from __future__ import annotations

import threading

from psfusion_ros.processor import Processor
from psfusion_ros.synchroniser import Synchroniser


class Worker:
    """Has one item after another processed in its own thread, until the synchroniser is closed.

    Nothing is queued here: the synchroniser decides which item is next.
    """

    def __init__(self, synchroniser: Synchroniser, processor: Processor) -> None:
        self._synchroniser = synchroniser
        self._processor = processor
        self._thread = threading.Thread(target=self._run, name="psfusion_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait until the current item is processed; the synchroniser must have been closed before."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (item := self._synchroniser.take()) is not None:
            try:
                self._processor.process(item)
            except Exception as error:  # whatever the reason, the next item may be fine
                self._processor.drop(error)
