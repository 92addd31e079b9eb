"""Tasks over the cores, in processes that are started anew: PyTorch's threads would not survive a fork."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

import cv2

from psfusion_core.evaluation.tasks import Outcome, Task, measure

WAITING = 3
"""Tasks in the queue for each process: results of a network wait there as images."""


def measure_on_cores(tasks: Iterable[Task], workers: int | None = None) -> Iterator[Outcome]:
    """Measure tasks in processes, in any order; what has been measured is given out at once.

    Args:
        tasks: taken only as fast as they are measured.
        workers: processes, by default one for every core that this process may use; a single one is this one.

    Raises:
        ChildProcessError: a process died, as for lack of memory.
    """
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1:
        yield from map(measure, tasks)
        return
    remaining = iter(tasks)
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_prepare_worker)
    try:
        running: set[Future[Outcome]] = set()
        while True:
            for task in islice(remaining, workers * WAITING - len(running)):
                running.add(executor.submit(measure, task))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "a process died, perhaps for lack of memory: run again with fewer --workers; what is done is kept"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    cv2.setNumThreads(1)  # there is a process for every core already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them; the parent ends the rest
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot tell its processes, and they would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
