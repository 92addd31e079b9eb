"""Subscribes to the topics of the page while a page is open, and spins in a separate thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # only here in Humble
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import Image
from std_msgs.msg import String

from psfusion_core.models.classes import CLASS_NAMES, colorize
from psfusion_core.registration.camera_registration import CAMERAS
from psfusion_ros.outputs import LABEL_INFO_TOPIC
from psfusion_ros.qos import LATCHED_QOS, input_qos
from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings
from psfusion_ros.view.image_stream import ImageStream

OUTPUTS = ("fused/image", "semantic/overlay")
ADAPT_SECONDS = 0.5
MAXIMUM_CLASSES = 256
"""Number of classes that an 8-bit mask can have; no more are shown."""


class Streams:
    """Four image topics, the state that the node reports, and the names of its classes.

    Attributes:
        images: A stream for each image topic, in the order of the page.
    """

    def __init__(self, fusion_node: str) -> None:
        """Create a ROS node; `open` subscribes.

        Args:
            fusion_node: Name of the fusion node, in the namespace of this one.
        """
        self.images = tuple(ImageStream(name) for name in (*(f"{c}/image" for c in CAMERAS), *OUTPUTS))
        self._node = rclpy.create_node("psfusion_view", start_parameter_services=False)
        self._fusion_node = fusion_node
        self._hardware_id = f"{self._node.get_namespace().rstrip('/')}/{fusion_node}"
        self._cameras: list[CameraSubscription] = []
        self._subscriptions: list[Any] = []
        self._timer: Any = None
        self._source = ""
        self._statuses: list[dict[str, Any]] = []
        self._class_names = list(CLASS_NAMES)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)

    async def open(self) -> None:
        """Subscribe to all topics."""
        loop = asyncio.get_running_loop()
        for stream in self.images:
            stream.begin(loop)
        await self._in_ros(self._open)

    async def close(self) -> None:
        """Destroy all subscriptions, so that the node computes nothing for the page."""
        await self._in_ros(self._close)

    def state(self) -> dict[str, Any]:
        """Return what the page shows besides the images."""
        colors = colorize(np.arange(len(self._class_names), dtype=np.uint8)[np.newaxis])[0]
        return {
            "images": [stream.state() for stream in self.images],
            "source": self._source,
            "statuses": self._statuses,
            "legend": [
                {"name": name, "color": "#" + bytes(color).hex()}
                for name, color in zip(self._class_names[1:], colors[1:], strict=True)  # 0 is not tinted
            ],
        }

    def _open(self) -> None:
        settings = SubscriptionSettings("auto", "sensor_data", depth=1)
        self._cameras = [
            CameraSubscription(self._node, name, settings, self._receiver(stream))
            for name, stream in zip(CAMERAS, self.images, strict=False)
        ]
        for camera in self._cameras:
            camera.open()
        subscribe = self._node.create_subscription
        newest = input_qos("sensor_data", depth=1)
        outputs = self.images[len(CAMERAS) :]
        self._subscriptions = [subscribe(Image, s.name, self._receiver(s), newest) for s in outputs]
        self._subscriptions += [
            subscribe(String, f"{self._fusion_node}/source", self._keep_source, LATCHED_QOS),
            subscribe(DiagnosticArray, "/diagnostics", self._keep_statuses, 10),
        ]
        try:
            from vision_msgs.msg import LabelInfo

            labels = subscribe(LabelInfo, LABEL_INFO_TOPIC, self._keep_labels, LATCHED_QOS)
            self._subscriptions.append(labels)
        except ImportError:  # the node does not publish it either
            pass
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self._node.create_timer(ADAPT_SECONDS, self._adapt, clock=steady)
        self._adapt()

    def _close(self) -> None:
        self._node.destroy_timer(self._timer)
        for camera in self._cameras:
            camera.close()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._cameras, self._subscriptions = [], []
        self._source, self._statuses = "", []

    def _adapt(self) -> None:
        """Adapt the subscriptions to the publishers, raw or compressed, and count the publishers."""
        for camera, stream in zip(self._cameras, self.images, strict=False):
            camera.adapt()
            stream.topic, stream.publishers = camera.topic, camera.publisher_count()
        for stream in self.images[len(CAMERAS) :]:
            stream.topic = self._node.resolve_topic_name(stream.name)
            stream.publishers = self._node.count_publishers(stream.topic)

    def _receiver(self, stream: ImageStream) -> Callable[[Any], None]:
        return lambda message: stream.receive(message, self._node.get_clock().now().nanoseconds)

    def _keep_source(self, message: String) -> None:
        self._source = message.data

    def _keep_statuses(self, message: DiagnosticArray) -> None:
        own = [status for status in message.status if status.hardware_id == self._hardware_id]
        if own:
            self._statuses = [
                {"task": s.name.partition(": ")[2], "level": s.level[0], "message": s.message} for s in own
            ]

    def _keep_labels(self, message: Any) -> None:
        labels = ((int(item.class_id), str(item.class_name)) for item in message.class_map)
        names = {index: name for index, name in labels if index < MAXIMUM_CLASSES}
        self._class_names = [names.get(index, "") for index in range(max(names, default=-1) + 1)]

    async def _in_ros(self, function: Callable[[], None]) -> None:
        """Run a function in the thread that spins, between two callbacks, and wait for it."""
        done: Future[None] = Future()

        def run() -> None:
            try:
                function()
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)

        self._executor.create_task(run)
        await asyncio.wrap_future(done)

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def __enter__(self) -> Streams:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
