"""Runs tasks at any place with the same result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psfusion_core.distribution.on_cores import run_on_cores
from psfusion_core.distribution.place import Place
from psfusion_core.distribution.task_types import R, StartWorker, T

HERE = Place()


def run_tasks(tasks: Iterable[T], start: StartWorker[T, R], place: Place = HERE) -> Iterator[R]:
    """Run tasks at a place, and yield their results as they finish, in any order.

    A task is pickled, and a worker that `start` has started runs it. If a worker dies (out of memory, a lost
    machine), another worker gets its task. A task may therefore be started several times and must write each
    file whole or not at all. Its result is yielded once.

    Args:
        tasks: The tasks. They are consumed only as fast as they are done.
        start: Called once in each worker.
        place: Where to run.

    Raises:
        TaskError: A task was started ATTEMPTS times, and its worker died each time.
        ImportError: Ray is requested but not installed.
        Exception: Any exception of a task. No further task is started after it.
    """
    if place.kind == "ray":
        from psfusion_core.distribution.on_ray import run_on_ray

        return run_on_ray(tasks, start, place)
    if place.workers in (None, 1):
        return _run_here(tasks, start)
    return run_on_cores(tasks, start, place.workers)


def _run_here(tasks: Iterable[T], start: StartWorker[T, R]) -> Iterator[R]:
    run = start()  # immediately, so that an error here comes before the caller's progress bar
    return (run(task) for task in tasks)
