"""Runs tasks on a Ray cluster. Every worker is an actor that has loaded what the tasks need."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from psfusion_core.base.wording import one_line
from psfusion_core.distribution.place import Place
from psfusion_core.distribution.task_types import ATTEMPTS, R, StartWorker, T, TaskError, TaskFunction

OBJECT_STORE = 200_000_000
"""Bytes of shared memory of a Ray started here. It is small because images are in files, not in tasks."""

OFFLINE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}
"""Environment that keeps a Ray started here on this machine: it uses loopback addresses. Its requests to the
metadata service of a cloud, which it sends even without usage reports, go to a proxy that does not exist."""


class RayWorker:
    """The worker in the process of an actor."""

    def __init__(self, start: StartWorker[Any, Any]) -> None:
        self._start = start
        self._run_task: TaskFunction[Any, Any] | None = None

    def do(self, task: Any) -> Any:
        """Run a task. The first one starts the worker, so that an error in starting reaches the caller."""
        if self._run_task is None:
            self._run_task = self._start()
        return self._run_task(task)


def run_on_ray(tasks: Iterable[T], start: StartWorker[T, R], place: Place) -> Iterator[R]:
    """Run tasks on the cluster at `place.address`, or on a Ray that is started here; see `run_tasks`.

    Workers open files themselves. On a cluster, inputs and outputs must therefore be on storage that all
    machines share under the same paths.
    """
    with _ray(place) as ray:
        unit = "GPU" if place.gpu else "CPU"
        workers = place.workers or int(ray.cluster_resources().get(unit, 0)) or 1
        share = {"num_cpus": 1, "num_gpus": 1} if place.gpu else {"num_cpus": 1}
        actor = ray.remote(**share)(RayWorker)
        remaining = iter(tasks)
        queue: deque[tuple[T, int]] = deque()
        idle: list[Any] = [actor.remote(start) for _ in range(workers)]
        running: dict[Any, tuple[Any, T, int]] = {}
        while True:
            while idle:
                queue.extend((task, 1) for task in islice(remaining, 0 if queue else 1))
                if not queue:
                    break
                worker, (task, attempt) = idle.pop(), queue.popleft()
                running[worker.do.remote(task)] = (worker, task, attempt)
            if not running:
                return
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            worker, task, attempt = running.pop(done)
            try:
                result = ray.get(done)
            except ray.exceptions.RayActorError as error:
                if attempt >= ATTEMPTS:
                    raise TaskError(
                        f"expected every task to end, but its worker died {ATTEMPTS} times: "
                        f"{one_line(error)[:600]}"
                    ) from error
                queue.append((task, attempt + 1))
                idle.append(actor.remote(start))
                continue
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error  # the task's own error, as from a process of this machine
            idle.append(worker)
            yield result


@contextmanager
def _ray(place: Place) -> Iterator[Any]:
    """Connect to a cluster, or start one that stays on this machine."""
    own: dict[str, Any] = {
        "num_cpus": place.workers,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE,
    }
    connection = {"address": place.address} if place.address else own
    with _environment({"RAY_USAGE_STATS_ENABLED": "0", **({} if place.address else OFFLINE)}):
        try:
            import ray  # here, because it reads the environment during the import
        except ImportError as error:
            raise ImportError(f"{error}: --on ray needs pip install '.[ray]'") from error
        ray.init(**connection, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
