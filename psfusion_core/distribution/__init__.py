"""Runs tasks in this process, in several processes of this machine, or on a Ray cluster."""

from psfusion_core.distribution.place import Place
from psfusion_core.distribution.task_types import StartWorker, TaskError, TaskFunction
from psfusion_core.distribution.tasks import run_tasks

__all__ = ["Place", "StartWorker", "TaskError", "TaskFunction", "run_tasks"]
