"""Looks at a running psfusion_node from outside: who is connected, and what /diagnostics says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from psfusion_ros.record.spool import INPUTS, OUTPUTS

NODE_NAME = "psfusion_node"
FATES = (
    ("outputs", "published"),
    ("outputs", "passed"),
    ("outputs", "unwatched"),
    ("outputs", "discarded"),
    ("engine", "failed"),
    ("engine", "rejected"),
)
"""Task and value that count what became of what the worker took, in the node's diagnostics."""


class Monitor:
    """A ROS node, and its context, that watches."""

    def __init__(self) -> None:
        rclpy.init(args=[])
        self.node: Node = rclpy.create_node("psfusion_monitor")
        self.values: dict[str, dict[str, str]] = {}
        self.reports = 0
        self._idle_reports: int | None = None
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._store, 10)

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown()

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = math.inf) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: it did not within so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:g} s in vain for {what}: see the logs")
            rclpy.spin_once(self.node, timeout_sec=0.1)

    def is_ready(self) -> bool:
        """Tell whether the node spins, and the recorder is connected to everything."""
        inputs = all(self.node.count_subscribers(topic) == 2 for topic in INPUTS)
        outputs = all(
            self.node.count_publishers(topic) == 1 and self.node.count_subscribers(topic) == 1
            for topic in OUTPUTS
        )
        return inputs and outputs and self.reports > 0

    def hears_cameras(self) -> bool:
        """Tell whether somebody publishes every input."""
        return all(self.node.count_publishers(topic) for topic in INPUTS)

    def is_idle(self) -> bool:
        """Tell whether the node has said, since this was asked first, that nothing is left to be done."""
        if self._idle_reports is None:
            self._idle_reports = self.reports + 2  # the one under way may be from before
        fates = sum(int(self.values[task][key]) for task, key in FATES)
        taken = sum(int(self.values["synchronisation"][key]) for key in ("pairs", "alone"))
        return self.reports >= self._idle_reports and taken == fates

    def _store(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node, _, task = status.name.partition(": ")
            if node == NODE_NAME:
                self.values[task] = {item.key: item.value for item in status.values}
        self.reports += any(status.name.startswith(f"{NODE_NAME}: ") for status in message.status)
