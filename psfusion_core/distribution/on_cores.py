"""Runs tasks in processes of this machine."""

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
from psfusion_core.distribution.task_types import ATTEMPTS, R, StartWorker, T, TaskError, TaskFunction

_run_task: TaskFunction[Any, Any] | None = None
"""The task function of this process, if it is a worker that has started a task."""


def run_on_cores(tasks: Iterable[T], start: StartWorker[T, R], workers: int) -> Iterator[R]:
    """Run tasks in processes that share the cores of this machine; see `run_tasks`.

    The death of one process breaks the whole pool, so its unfinished tasks move to a new pool.
    """
    remaining = iter(tasks)
    queue: deque[tuple[T, int]] = deque()
    running: dict[Future[R], tuple[T, int]] = {}
    pool = _make_pool(workers)
    try:
        while True:
            try:
                while len(running) <= workers:  # one task more, which waits for the next free worker
                    queue.extend((task, 1) for task in islice(remaining, 0 if queue else 1))
                    if not queue:
                        break
                    future = pool.submit(_run_in_worker, start, queue[0][0])
                    running[future] = queue.popleft()
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del running[future]
                    yield result
            except BrokenProcessPool:
                queue.extend(_tasks_to_repeat(running))
                running.clear()
                pool.shutdown(wait=False, cancel_futures=True)
                pool = _make_pool(workers)
    except BaseException:  # Ctrl-C or a task's error; stopping is safe, since tasks write whole files or none
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _tasks_to_repeat(lost: dict[Future[R], tuple[T, int]]) -> list[tuple[T, int]]:
    unfinished = [(task, attempt) for future, (task, attempt) in lost.items()]
    if any(attempt >= ATTEMPTS for _, attempt in unfinished):
        raise TaskError(
            f"expected every task to end, but workers died {ATTEMPTS} times, perhaps for lack of memory: "
            "use fewer --workers"
        )
    return [(task, attempt + 1) for task, attempt in unfinished]


def _make_pool(workers: int) -> ProcessPoolExecutor:
    # Not forked, because a forked child would lack the threads of PyTorch.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, _prepare, (max(1, cores() // workers),))


def _prepare(threads: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    cv2.setNumThreads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process, and the parent ends workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent ends, because a killed parent cannot end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_in_worker(start: StartWorker[T, R], task: T) -> R:
    global _run_task
    if _run_task is None:
        _run_task = start()
    return _run_task(task)
