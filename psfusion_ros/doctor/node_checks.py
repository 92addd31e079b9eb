"""Checks of a running psfusion_node."""

from __future__ import annotations

from functools import partial

from diagnostic_msgs.msg import DiagnosticStatus

from psfusion_core.doctor.check import Check, Finding, Status, Subject
from psfusion_ros.diagnostics.publisher import TASKS
from psfusion_ros.doctor.observations import Observations

STATUSES: dict[bytes, Status] = {DiagnosticStatus.OK: "ok", DiagnosticStatus.WARN: "warning"}
"""The status of each diagnostic level; all other levels are errors."""


def check_output_subscribers(observations: Observations, _: Subject) -> Finding:
    """Check for subscribers of the outputs that request more than the node offers."""
    if observations.unserved:
        return Finding(
            "warning", f"these get nothing: {'; '.join(observations.unserved)}",
            "subscribe with durability volatile and no deadline",
        )  # fmt: skip
    return Finding("ok", "no subscriber asks for more than the node offers")


def node_checks(observations: Observations) -> list[tuple[str, Check]]:
    """Return a check for each task of the running nodes; if none is running, a check that says so."""
    if any(name.endswith(f": {task}") for name, _ in observations.statuses for task in TASKS):
        return [(f"node: {task}", partial(check_task, observations, task)) for task in TASKS]
    return [("node", lambda _: Finding("skipped", "no psfusion_node published diagnostics"))]


def check_task(observations: Observations, task: str, _: Subject) -> Finding:
    """Return the worst status that the running nodes report for a task, with the messages of all of them."""
    statuses = [status for (name, _), status in observations.statuses.items() if name.endswith(f": {task}")]
    if not statuses:
        return Finding("skipped", "the node reported nothing about it")
    worst = max(statuses, key=lambda status: status.level)
    messages = "; ".join(f"{status.hardware_id}: {status.message}" for status in statuses)
    return Finding(STATUSES.get(worst.level, "error"), messages)
