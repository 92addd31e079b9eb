"""Publishes all statuses on /diagnostics.

Names follow diagnostic_updater ("node: task"), so rqt_robot_monitor and aggregators understand them.
"""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # only here in Humble
from rclpy.node import Node

from psfusion_core.engines.device_health import read_health
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.diagnostics.engine_status import EngineTask
from psfusion_ros.diagnostics.input_status import InputTask
from psfusion_ros.diagnostics.output_status import OutputTask
from psfusion_ros.diagnostics.status import Status
from psfusion_ros.diagnostics.synchronisation_status import synchronisation_status
from psfusion_ros.pipeline import Pipeline

TASKS = ("visible input", "infrared input", "synchronisation", "engine", "outputs")


class Diagnostics:
    """Publishes a DiagnosticArray periodically by a steady clock, also while simulated time stands still.

    Attributes:
        pipeline: The pipeline to report on; None while the node is unconfigured.
        parameters: The node's parameters, with the limits.
        state: The state of the node's life cycle.
        failure: Why the node could not be configured or activated; empty if it could.
    """

    def __init__(self, node: Node, parameters: NodeParameters) -> None:
        """Publish from now on."""
        self.pipeline: Pipeline | None = None
        self.parameters = parameters
        self.state = "unconfigured"
        self.failure = ""
        self._node = node
        self._last_collected = time.monotonic()
        self._inputs = InputTask(), InputTask()
        self._engine = EngineTask()
        self._outputs = OutputTask()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(parameters.diagnostics_period, self.publish, clock=steady)

    def publish(self) -> None:
        """Publish one message with the current statuses."""
        statuses = self.collect(time.monotonic())
        message = DiagnosticArray(status=[self._message(task, s) for task, s in statuses.items()])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def collect(self, now: float) -> dict[str, Status]:
        """Return one status per task; rates and timings are those since the last call."""
        elapsed = max(now - self._last_collected, 1e-6)
        self._last_collected = now
        pipeline, parameters = self.pipeline, self.parameters
        if pipeline is None or self.state != "active":
            return {task: self._inactive(task) for task in TASKS}
        counts = pipeline.item_counter.snapshot()
        both_arrive = all(
            image_input.enabled and image_input.silence(now) <= parameters.missing_timeout
            for image_input in pipeline.inputs
        )
        visible, infrared = (
            task.status(image_input, parameters, now, elapsed)
            for task, image_input in zip(self._inputs, pipeline.inputs, strict=True)
        )
        report = pipeline.synchroniser.report()
        synchronisation = synchronisation_status(report, counts, both_arrive, parameters, now)
        health = read_health(pipeline.fuser.device)
        engine = self._engine.status(
            pipeline.fuser, health, counts, self.state, pipeline.worker_is_alive, parameters
        )
        outputs = self._outputs.status(pipeline.outputs, counts, parameters, elapsed)
        return dict(zip(TASKS, (visible, infrared, synchronisation, engine, outputs), strict=True))

    def _inactive(self, task: str) -> Status:
        status = Status(f"{self.state}: nothing is fused")
        if self.failure and task == "engine":
            status.error(f"{self.state}: {self.failure}")
        status.values["state"] = self.state
        return status

    def _message(self, task: str, status: Status) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=status.level,
            name=f"{self._node.get_name()}: {task}",
            message=status.message,
            hardware_id=self._node.get_fully_qualified_name(),
            values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
        )
