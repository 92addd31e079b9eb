"""Tasks on a Ray cluster: every worker is an actor that has loaded what the tasks need."""

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
from psfusion_core.distribution.work import ATTEMPTS, R, Start, T, TaskError, Work

OBJECT_STORE = 200_000_000
"""Bytes of shared memory of a Ray that is started here: tasks and results are small, images are in files."""

OFFLINE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}
"""Environment in which a Ray of this machine stays on it: addresses are those of loopback, and what it asks
the metadata service of a cloud, though told to report nothing, meets a proxy that is not there."""


class RayWorker:
    """What runs in an actor's process."""

    def __init__(self, start: Start[Any, Any]) -> None:
        self._start = start
        self._work: Work[Any, Any] | None = None

    def do(self, task: Any) -> Any:
        """Do a task; the first one loads what all of them need, so that what goes wrong is told."""
        if self._work is None:
            self._work = self._start()
        return self._work(task)


def run_on_ray(tasks: Iterable[T], start: Start[T, R], place: Place) -> Iterator[R]:
    """Do tasks on the cluster at `place.address`, or on a Ray that is started here; see `run_tasks`.

    Files are opened where a worker runs: on a cluster, inputs and outputs lie on storage that all of its
    machines share, under the same paths.
    """
    with _ray(place) as ray:
        unit = "GPU" if place.gpu else "CPU"
        workers = place.workers or int(ray.cluster_resources().get(unit, 0)) or 1
        share = {"num_cpus": 1, "num_gpus": 1} if place.gpu else {"num_cpus": 1}
        actor = ray.remote(**share)(RayWorker)
        fresh = iter(tasks)
        again: deque[tuple[T, int]] = deque()
        idle: list[Any] = [actor.remote(start) for _ in range(workers)]
        running: dict[Any, tuple[Any, T, int]] = {}
        while True:
            while idle:
                again.extend((task, 1) for task in islice(fresh, 0 if again else 1))
                if not again:
                    break
                worker, (task, attempt) = idle.pop(), again.popleft()
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
                again.append((task, attempt + 1))
                idle.append(actor.remote(start))
                continue
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error  # the task's own, as it would come from a process here
            idle.append(worker)
            yield result


@contextmanager
def _ray(place: Place) -> Iterator[Any]:
    """Connect with a cluster, or start one on this machine that talks to nobody else."""
    own: dict[str, Any] = {
        "num_cpus": place.workers,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE,
    }
    connection = {"address": place.address} if place.address else own
    with _environment({"RAY_USAGE_STATS_ENABLED": "0", **({} if place.address else OFFLINE)}):
        try:
            import ray  # it reads the environment as it is imported
        except ImportError as error:
            raise ImportError(f"{error}: --on ray needs pip install '.[ray]'") from error
        ray.init(**connection, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Change the environment for what is started meanwhile."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
