"""Checks of a psfusion_node that runs."""

from __future__ import annotations

from functools import partial

from diagnostic_msgs.msg import DiagnosticStatus

from psfusion_core.doctor.check import Check, Finding, Status, Subject
from psfusion_ros.diagnostics.publisher import TASKS
from psfusion_ros.doctor.hearing import Hearing

STATUSES: dict[bytes, Status] = {DiagnosticStatus.OK: "ok", DiagnosticStatus.WARN: "warning"}
"""By level; all others are errors."""


def check_output_subscribers(hearing: Hearing, _: Subject) -> Finding:
    """Look for subscribers of the outputs that ask for more than is offered."""
    if hearing.unserved:
        return Finding(
            "warning", f"these get nothing: {'; '.join(hearing.unserved)}",
            "subscribe with durability volatile and no deadline",
        )  # fmt: skip
    return Finding("ok", "no subscriber asks for more than the node offers")


def node_checks(hearing: Hearing) -> list[tuple[str, Check]]:
    """Return a check of each task of the nodes that run; where none does, one that says so."""
    if any(name.endswith(f": {task}") for name, _ in hearing.statuses for task in TASKS):
        return [(f"node: {task}", partial(check_task, hearing, task)) for task in TASKS]
    return [("node", lambda _: Finding("skipped", "no psfusion_node published diagnostics"))]


def check_task(hearing: Hearing, task: str, _: Subject) -> Finding:
    """Return what the nodes that run say of one of their tasks; the worst, with all of their messages."""
    statuses = [status for (name, _), status in hearing.statuses.items() if name.endswith(f": {task}")]
    if not statuses:
        return Finding("skipped", "the node said nothing of it")
    worst = max(statuses, key=lambda status: status.level)
    messages = "; ".join(f"{status.hardware_id}: {status.message}" for status in statuses)
    return Finding(STATUSES.get(worst.level, "error"), messages)
