"""Publishes the statuses at a steady period.

Names follow diagnostic_updater ("node: task"): rqt_robot_monitor and aggregators take them as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has it nowhere else
from rclpy.node import Node

from psfusion_core.engines.device_health import read_health
from psfusion_ros.diagnostics.engine_status import EngineTask
from psfusion_ros.diagnostics.input_status import InputTask
from psfusion_ros.diagnostics.output_status import OutputTask
from psfusion_ros.diagnostics.status import Status
from psfusion_ros.diagnostics.synchronisation_status import look_at_synchronisation
from psfusion_ros.image_input import ImageInput
from psfusion_ros.item_counts import ItemRecorder
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.outputs import Outputs
from psfusion_ros.synchroniser import Synchroniser

TASKS = ("visible input", "infrared input", "synchronisation", "engine", "outputs")


class DiagnosedParts(Protocol):
    """What the diagnostics look at while the node is configured."""

    inputs: tuple[ImageInput, ImageInput]
    synchroniser: Synchroniser
    recorder: ItemRecorder
    outputs: Outputs
    fuser: Any


class Diagnostics:
    """Publishes a DiagnosticArray at a steady period, whatever the simulated time does.

    Attributes:
        sources: what to look at; None while the node is unconfigured.
        failure: why the node could not be configured or activated; empty where nothing went wrong.
    """

    def __init__(
        self, node: Node, period: float, parameters: Callable[[], Parameters], state: Callable[[], str]
    ) -> None:
        """Publish from now on.

        Args:
            node: where.
            period: seconds between two messages.
            parameters: returns those of the node, with the thresholds.
            state: returns that of the node's life cycle.
        """
        self.sources: DiagnosedParts | None = None
        self.failure = ""
        self._node = node
        self._parameters = parameters
        self._state = state
        self._looked = time.monotonic()
        self._inputs = InputTask(), InputTask()
        self._engine = EngineTask()
        self._outputs = OutputTask()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        node.create_timer(period, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Publish what there is to say now."""
        statuses = self.collect(time.monotonic())
        message = DiagnosticArray(status=[self._message(task, s) for task, s in statuses.items()])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def collect(self, now: float) -> dict[str, Status]:
        """Return one status per task; rates and timings are since the call before."""
        elapsed = max(now - self._looked, 1e-6)
        self._looked = now
        state = self._state()
        if self.sources is None or state != "active":
            return {task: self._idle(task, state) for task in TASKS}
        sources, parameters = self.sources, self._parameters()
        items = sources.recorder.look()
        both_arrive = all(
            source.enabled and source.silence(now) <= parameters.missing_timeout for source in sources.inputs
        )
        visible, infrared = (
            task.look(source, parameters, now, elapsed)
            for task, source in zip(self._inputs, sources.inputs, strict=True)
        )
        report = sources.synchroniser.report()
        synchronisation = look_at_synchronisation(report, items, both_arrive, parameters, now)
        health = read_health(sources.fuser.device)
        engine = self._engine.look(sources.fuser, health, items, state, parameters)
        outputs = self._outputs.look(sources.outputs, items, parameters, elapsed)
        return dict(zip(TASKS, (visible, infrared, synchronisation, engine, outputs), strict=True))

    def _idle(self, task: str, state: str) -> Status:
        status = Status(f"{state}: nothing is fused")
        if self.failure and task == "engine":
            status.error(f"{state}: {self.failure}")
        status.values["state"] = state
        return status

    def _message(self, task: str, status: Status) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=status.level,
            name=f"{self._node.get_name()}: {task}",
            message=status.message,
            hardware_id=self._node.get_fully_qualified_name(),
            values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
        )
