"""The same tasks in this process, in processes of this machine, or on a Ray cluster."""

from psfusion_core.distribution.place import Place
from psfusion_core.distribution.tasks import Start, TaskError, Work, run_tasks

__all__ = ["Place", "Start", "TaskError", "Work", "run_tasks"]
