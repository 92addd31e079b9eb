"""Watches a running psfusion_node from outside: who is connected, and what /diagnostics says."""

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
ITEM_COUNTS = (
    ("outputs", "published"),
    ("outputs", "passed"),
    ("outputs", "unwatched"),
    ("outputs", "discarded"),
    ("engine", "failed"),
    ("engine", "rejected"),
)
"""The tasks and keys of the node's diagnostics that count the items which the worker has finished."""


class Monitor:
    """A ROS node that watches psfusion_node; it starts and shuts down ROS."""

    def __init__(self) -> None:
        rclpy.init(args=[])
        self.node: Node = rclpy.create_node("psfusion_monitor")
        self.values: dict[str, dict[str, str]] = {}
        self.reports = 0
        self._idle_reports: int | None = None
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._keep_values, 10)

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
            TimeoutError: It does not hold within so many seconds.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:g} s in vain for {what}: see the logs")
            rclpy.spin_once(self.node, timeout_sec=0.1)

    def is_ready(self) -> bool:
        """Tell whether the node spins, and the recorder is connected to all topics."""
        inputs = all(self.node.count_subscribers(topic) == 2 for topic in INPUTS)
        outputs = all(
            self.node.count_publishers(topic) == 1 and self.node.count_subscribers(topic) == 1
            for topic in OUTPUTS
        )
        return inputs and outputs and self.reports > 0

    def has_cameras(self) -> bool:
        """Tell whether every input has a publisher."""
        return all(self.node.count_publishers(topic) for topic in INPUTS)

    def is_idle(self) -> bool:
        """Tell whether the node has reported, since the first call, that it has no item left to process."""
        if self._idle_reports is None:
            self._idle_reports = self.reports + 2  # the next report may have been made before
        finished = sum(int(self.values[task][key]) for task, key in ITEM_COUNTS)
        taken = sum(int(self.values["synchronisation"][key]) for key in ("pairs", "alone"))
        return self.reports >= self._idle_reports and taken == finished

    def _keep_values(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node, _, task = status.name.partition(": ")
            if node == NODE_NAME:
                self.values[task] = {item.key: item.value for item in status.values}
        self.reports += any(status.name.startswith(f"{NODE_NAME}: ") for status in message.status)
