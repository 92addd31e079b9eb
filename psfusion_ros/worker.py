"""The thread in which pairs are decoded, fused and published."""

from __future__ import annotations

import threading
import time

from psfusion_core.base.wording import typed_line
from psfusion_ros.item_counts import ItemCounter
from psfusion_ros.processor import Processor
from psfusion_ros.synchroniser import Synchroniser

PAUSE = 0.1
"""Time without work after a fault that is not an item's, so that one that persists uses no core, s."""


class Worker:
    """Has one item after another processed in its own thread, until the synchroniser is closed.

    Nothing is queued here: the synchroniser decides which item is next. No error ends the thread.
    """

    def __init__(self, synchroniser: Synchroniser, processor: Processor, item_counter: ItemCounter) -> None:
        self._synchroniser = synchroniser
        self._processor = processor
        self._item_counter = item_counter
        self._thread = threading.Thread(target=self._run, name="psfusion_worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait until the current item is processed; the synchroniser must have been closed before."""
        if self._thread.is_alive():
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                self._process_all()
                return
            except Exception as error:  # a fault of the pairing, the counting or the logging
                self._item_counter.count_worker_fault(typed_line(error))
                time.sleep(PAUSE)

    def _process_all(self) -> None:
        while (item := self._synchroniser.take()) is not None:
            try:
                self._processor.process(item)
            except Exception as error:  # whatever the reason, the next item may be fine
                self._processor.drop(error)
