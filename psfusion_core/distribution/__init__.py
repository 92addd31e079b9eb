"""The same tasks in this process, in processes of this machine, or on a Ray cluster."""

from psfusion_core.distribution.place import Place
from psfusion_core.distribution.tasks import run_tasks
from psfusion_core.distribution.work import Start, TaskError, Work

__all__ = ["Place", "Start", "TaskError", "Work", "run_tasks"]
