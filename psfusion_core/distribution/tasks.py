"""Tasks and where they are done: one definition, whatever the place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psfusion_core.distribution.on_cores import run_on_cores
from psfusion_core.distribution.place import Place
from psfusion_core.distribution.work import R, Start, T

HERE = Place()


def run_tasks(tasks: Iterable[T], start: Start[T, R], place: Place = HERE) -> Iterator[R]:
    """Do tasks at a place and yield their results as they finish, in any order.

    The place makes no difference to a task: it is pickled, done by a worker that `start` made, and its
    result comes back. Where a worker dies (no memory, a machine gone) its task is given to another one, so a
    task may be begun more than once: what it writes, it must write whole or not at all. Its result comes
    once.

    Args:
        tasks: taken only as fast as they are done.
        start: makes the work in each worker.
        place: where.

    Raises:
        TaskError: a task was begun ATTEMPTS times, and its worker died each time.
        ImportError: Ray is asked for and not installed.
        Exception: whatever a task raises; no other one is begun after it.
    """
    if place.kind == "ray":
        from psfusion_core.distribution.on_ray import run_on_ray

        return run_on_ray(tasks, start, place)
    if place.workers in (None, 1):
        return _run_here(tasks, start)
    return run_on_cores(tasks, start, place.workers)


def _run_here(tasks: Iterable[T], start: Start[T, R]) -> Iterator[R]:
    work = start()  # at once: what goes wrong here is told before anybody draws a progress bar
    return (work(task) for task in tasks)
