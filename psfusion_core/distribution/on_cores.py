"""Tasks in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

import cv2

from psfusion_core.distribution.place import cores
from psfusion_core.distribution.work import ATTEMPTS, R, Start, T, TaskError, Work

_work: Work[Any, Any] | None = None
"""What this process does, once it is a worker that has begun a task."""


def run_on_cores(tasks: Iterable[T], start: Start[T, R], workers: int) -> Iterator[R]:
    """Do tasks in processes that share the cores of this machine; see `run_tasks`.

    The death of one process breaks the whole pool: its unfinished tasks go to a new one.
    """
    fresh = iter(tasks)
    again: deque[tuple[T, int]] = deque()
    running: dict[Future[R], tuple[T, int]] = {}
    pool = _make_pool(workers)
    try:
        while True:
            try:
                while len(running) <= workers:  # one waits for the next free worker
                    again.extend((task, 1) for task in islice(fresh, 0 if again else 1))
                    if not again:
                        break
                    future = pool.submit(_do, start, again[0][0])
                    running[future] = again.popleft()
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del running[future]
                    yield result
            except BrokenProcessPool:
                again.extend(_begin_again(running))
                running.clear()
                pool.shutdown(wait=False, cancel_futures=True)
                pool = _make_pool(workers)
    except BaseException:  # Ctrl-C, or a task's error: tasks write whole or not at all, so none is waited for
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_again(lost: dict[Future[R], tuple[T, int]]) -> list[tuple[T, int]]:
    unfinished = [(task, attempt) for future, (task, attempt) in lost.items()]
    if any(attempt >= ATTEMPTS for _, attempt in unfinished):
        raise TaskError(
            f"expected every task to end, but workers died {ATTEMPTS} times, perhaps for lack of memory: "
            "take fewer --workers"
        )
    return [(task, attempt + 1) for task, attempt in unfinished]


def _make_pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: the threads of PyTorch would not be there in the child.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, _prepare, (max(1, cores() // workers),))


def _prepare(threads: int) -> None:
    """Prepare a worker, before PyTorch is imported."""
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    cv2.setNumThreads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them; the parent ends the rest
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot tell its workers, and they would wait for it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(start: Start[T, R], task: T) -> R:
    global _work
    if _work is None:
        _work = start()
    return _work(task)
