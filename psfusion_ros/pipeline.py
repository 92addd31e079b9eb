"""What a configured node consists of, from the subscriptions to the publishers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has it nowhere else
from rclpy.node import Node

from psfusion_core.base.wording import one_line, typed_line
from psfusion_core.cameras.thermal_gain import ThermalGain
from psfusion_core.engines.memory import free_memory
from psfusion_core.fusion.recovery import PairFuser, RecoveringFuser
from psfusion_ros.camera_info_cache import CameraInfoCache
from psfusion_ros.image_input import LOG_EVERY, ImageInput
from psfusion_ros.item_counts import ItemRecorder
from psfusion_ros.missing_camera import MissingWatch
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.outputs import Outputs
from psfusion_ros.pairing_policies import create_synchroniser
from psfusion_ros.processor import Processor
from psfusion_ros.qos import OUTPUT_QOS, describe
from psfusion_ros.synchroniser import Item
from psfusion_ros.worker import Worker

MakeFuser = Callable[..., PairFuser]

WATCH_EVERY = 0.05
"""Seconds between two looks at whether a camera is missing."""

ADAPT_EVERY = 1.0
"""Seconds between two looks at who publishes the inputs."""


class Pipeline:
    """Message -> frame -> pair -> engine -> result -> message.

    Attributes:
        fuser, synchroniser, inputs, outputs, recorder: its parts, for the diagnostics to look at.
    """

    def __init__(self, node: Node, parameters: Parameters, make_fuser: MakeFuser) -> None:
        """Load the engine and create the publishers; nothing is subscribed to before `open`.

        Args:
            node: where.
            parameters: settings.
            make_fuser: makes an engine from `model`, `weights`, `device`, `engine` and `precision`.

        Raises:
            ValueError, OSError, RuntimeError, ImportError: what is needed cannot be had.
        """
        self._node = node
        self._logger = node.get_logger()
        self._parameters = parameters
        self.synchroniser = create_synchroniser(parameters.sync())
        self.fuser = RecoveringFuser(
            lambda device: make_fuser(
                model=parameters.model,
                weights=parameters.weights,
                device=device,
                engine=parameters.engine,
                precision=parameters.precision,
            ),
            parameters.device,
            parameters.fallback,
            parameters.retry_after,
            changed=self._logger.warning,
        )
        self.recorder = ItemRecorder()
        self.outputs = Outputs(node, parameters.overlay_opacity, self.fuser.class_names)
        self._calibration = CameraInfoCache(node, parameters.registration())
        self._processor = Processor(
            self.fuser,
            ThermalGain(parameters.gain()),
            self._calibration,
            self.outputs,
            self.recorder,
            parameters.missing_policy,
            self._may_publish,
        )
        self.inputs = (
            ImageInput(node, "visible", parameters.inputs(), self.synchroniser.add),
            ImageInput(node, "infrared", parameters.inputs(), self.synchroniser.add),
        )
        self._watch = MissingWatch(*self.inputs, self._logger.warning, self._logger.info)
        self._worker: Worker[Item] | None = None
        self._timers: list[Any] = []
        self._set_enabled(parameters.enabled)

    def open(self) -> None:
        """Subscribe and start the worker.

        Raises:
            RuntimeError: the middleware cannot; what was begun is undone.
        """
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self._logger.info(self._summary())

    def _open(self) -> None:
        self.outputs.tell_source("none")
        self.synchroniser.open()
        self._worker = Worker(self.synchroniser.take, self._processor, self._item_failed)
        self._worker.start()
        for source in self.inputs:
            source.open()
        self._calibration.open()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers = [
            self._node.create_timer(WATCH_EVERY, self._look, clock=steady),
            self._node.create_timer(ADAPT_EVERY, self._adapt, clock=steady),
        ]

    def close(self) -> None:
        """Free the subscriptions and end the worker, after the item in hand."""
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._timers = []
        for source in self.inputs:
            source.subscription.close()
        self._calibration.close()
        self.stop()
        self.outputs.tell_source("none")

    def stop(self) -> None:
        """End the worker, after the item in hand; needs no ROS any more."""
        self.synchroniser.close()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def free(self) -> None:
        """Free the publishers, the engine and its memory; the pipeline is of no use after that."""
        self.outputs.close()
        del self.fuser, self._processor
        free_memory()

    def retune(self, parameters: Parameters) -> None:
        """Take over what may change at any time."""
        before, self._parameters = self._parameters, parameters
        if parameters.sync() != before.sync():
            self.synchroniser.retune(parameters.sync())
        if parameters.enabled != before.enabled:
            self._set_enabled(parameters.enabled)
        self._processor.gain.settings = parameters.gain()
        self._processor.missing_policy = parameters.missing_policy
        self.outputs.overlay_opacity = parameters.overlay_opacity

    def _set_enabled(self, enabled: bool) -> None:
        self.synchroniser.reset()  # what waits from before must not be published later
        for source in self.inputs:
            source.set_enabled(enabled)
        if not enabled:
            self.outputs.tell_source("none")

    def _may_publish(self) -> bool:
        return self._parameters.enabled and self._node.context.ok()

    def _look(self) -> None:
        if not self._parameters.enabled:
            return
        policy, timeout = self._parameters.missing_policy, self._parameters.missing_timeout
        passed = self._watch.look(time.monotonic(), policy, timeout)
        self.synchroniser.pass_through(passed)
        if self._watch.missing and passed is None:
            self.outputs.tell_source("none")

    def _adapt(self) -> None:
        for source in self.inputs:
            source.subscription.adapt()

    def _item_failed(self, error: Exception) -> None:
        """Note, in the worker's thread, that an item was dropped."""
        if not self._node.context.ok():  # what failed was publishing after a signal
            self.recorder.discarded()
            return
        reason = one_line(error)
        if isinstance(error, ValueError):  # a FrameError, or the engine about sizes
            self.recorder.rejected(reason)
            self._logger.warning(f"dropped: {reason}", throttle_duration_sec=LOG_EVERY)
        else:
            reason = typed_line(error)
            self.recorder.failed(reason)
            self._logger.error(f"dropped, the engine failed: {reason}", throttle_duration_sec=LOG_EVERY)

    def _summary(self) -> str:
        visible, infrared = (source.subscription for source in self.inputs)
        given = f"transport {self._parameters.transport}, {describe(visible.qos)}"
        return (
            f"{self.fuser.description}; in: {visible.topic}, {infrared.topic} ({given}, registration "
            f"{self._calibration.mode}); out: {', '.join(self.outputs.topics().values())} "
            f"({describe(OUTPUT_QOS)})"
        )
