"""Creates and connects all parts of a configured node, from the subscriptions to the publishers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # in Humble it exists only in this module
from rclpy.node import Node

from psfusion_core.cameras.pairing import SyncSettings
from psfusion_core.engines.memory import free_memory
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_core.fusion.recovery import RecoveringFuser
from psfusion_ros.camera_info_cache import CameraInfoCache
from psfusion_ros.filter_synchroniser import FilterSynchroniser
from psfusion_ros.image_input import ImageInput
from psfusion_ros.item_counts import ItemCounter
from psfusion_ros.missing_camera import MissingCameraWatch
from psfusion_ros.nearest_synchroniser import NearestSynchroniser
from psfusion_ros.outputs import Outputs
from psfusion_ros.processor import Processor
from psfusion_ros.qos import OUTPUT_QOS, describe
from psfusion_ros.synchroniser import Synchroniser
from psfusion_ros.worker import Worker

MakeFuser = Callable[..., PairFuser]

WATCH_EVERY = 0.05
"""Seconds between two checks for a missing camera."""

ADAPT_EVERY = 1.0
"""Seconds between two checks of who publishes the inputs."""


class Pipeline:
    """Message -> pair -> frames -> engine -> pictures -> message.

    An `ImageInput` for each camera checks the messages and adds them to the `Synchroniser`, which pairs them.
    The `Worker` takes the newest pair. Its `Processor` decodes the pair into frames, has the fuser run the
    engine on them, and publishes the pictures through `Outputs`. `stop` ends the worker; `close` also
    unsubscribes; `free` then releases the model.

    Attributes:
        inputs, synchroniser, fuser, outputs, item_counter: The parts that the diagnostics report on.
    """

    def __init__(self, node: Node, parameters: NodeParameters, make_fuser: MakeFuser) -> None:
        """Create the fuser and the publishers; `open` subscribes.

        Args:
            node: The node that owns the subscriptions, publishers and timers.
            parameters: The node's parameters.
            make_fuser: Creates a fuser from `model`, `weights`, `device`, `engine` and `precision`.

        Raises:
            ValueError, OSError, RuntimeError, ImportError: The model, the device or a package is missing.
        """
        self._node = node
        self._logger = node.get_logger()
        self._parameters = parameters
        self.synchroniser = create_synchroniser(parameters.sync())
        self.inputs = (
            ImageInput(node, "visible", parameters, self.synchroniser),
            ImageInput(node, "infrared", parameters, self.synchroniser),
        )
        self._camera_infos = CameraInfoCache(node)
        make = partial(make_fuser, model=parameters.model, weights=parameters.weights)
        self.fuser = RecoveringFuser(
            partial(make, device=parameters.device, engine=parameters.engine, precision=parameters.precision),
            partial(make, device="cpu", engine="auto", precision="auto"),
            parameters.fallback,
            parameters.retry_after,
            changed=self._logger.warning,
        )
        self.outputs = Outputs(node, parameters.overlay_opacity, self.fuser.class_names)
        self.item_counter = ItemCounter()
        self._processor = Processor(
            node, parameters, self.fuser, self._camera_infos, self.outputs, self.item_counter
        )
        self._worker: Worker | None = None
        self._missing_camera_watch = MissingCameraWatch(*self.inputs, self._logger)
        self._timers: list[Any] = []
        self._set_enabled(parameters.enabled)

    def open(self) -> None:
        """Subscribe and start the worker.

        Raises:
            RuntimeError: The middleware failed; everything is closed again.
        """
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self._logger.info(self._summary())

    def _open(self) -> None:
        self.outputs.publish_source("none")
        self.synchroniser.open()
        self._worker = Worker(self.synchroniser, self._processor, self.item_counter)
        self._worker.start()
        for image_input in self.inputs:
            image_input.open()
        self._camera_infos.open()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timers = [
            self._node.create_timer(WATCH_EVERY, self._watch_cameras, clock=steady),
            self._node.create_timer(ADAPT_EVERY, self._adapt_subscriptions, clock=steady),
        ]

    def close(self) -> None:
        """Destroy the subscriptions, and end the worker after its current item."""
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._timers = []
        for image_input in self.inputs:
            image_input.close()
        self._camera_infos.close()
        self.stop()
        self.outputs.publish_source("none")

    @property
    def worker_is_alive(self) -> bool:
        """Whether the worker runs; False before `open` and after `close`."""
        return self._worker is not None and self._worker.is_alive

    def stop(self) -> None:
        """End the worker after its current item; this also works after ROS has shut down."""
        self.synchroniser.close()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def free(self) -> None:
        """Free the publishers, the fuser and its memory; the pipeline cannot be used afterwards."""
        self.outputs.close()
        del self.fuser, self._processor
        free_memory()

    def retune(self, parameters: NodeParameters) -> None:
        """Apply the parameters that may change at any time."""
        before, self._parameters = self._parameters, parameters
        self._processor.retune(parameters)
        self.outputs.overlay_opacity = parameters.overlay_opacity
        if parameters.sync() != before.sync():
            self.synchroniser.retune(parameters.sync())
        if parameters.enabled != before.enabled:
            self._set_enabled(parameters.enabled)

    def _set_enabled(self, enabled: bool) -> None:
        self.synchroniser.reset()  # images received before the change must not be published later
        for image_input in self.inputs:
            image_input.set_enabled(enabled)
        if not enabled:
            self.outputs.publish_source("none")

    def _watch_cameras(self) -> None:
        if not self._parameters.enabled:
            return
        policy, timeout = self._parameters.missing_policy, self._parameters.missing_timeout
        passed = self._missing_camera_watch.update(time.monotonic(), policy, timeout)
        self.synchroniser.pass_through(passed)
        if self._missing_camera_watch.missing and passed is None:
            self.outputs.publish_source("none")

    def _adapt_subscriptions(self) -> None:
        """Match transport and QoS to the current publishers."""
        for image_input in self.inputs:
            image_input.subscription.adapt()

    def _summary(self) -> str:
        visible, infrared = (image_input.subscription for image_input in self.inputs)
        given = f"transport {self._parameters.transport}, {describe(visible.qos)}"
        return (
            f"{self.fuser.description}; in: {visible.topic}, {infrared.topic} ({given}, registration "
            f"{self._parameters.registration().mode}); out: {', '.join(self.outputs.topics().values())} "
            f"({describe(OUTPUT_QOS)})"
        )


def create_synchroniser(settings: SyncSettings) -> Synchroniser:
    """Create the synchroniser for `settings.policy`; ValueError if message_filters is needed but missing."""
    return NearestSynchroniser(settings) if settings.policy == "nearest" else FilterSynchroniser(settings)
