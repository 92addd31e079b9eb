"""One camera's image topic: a subscription whose callback only checks and stores."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from psfusion_core.stream.frame import FrameError
from psfusion_ros import codec

LOG_EVERY = 5.0
"""Least time between two log lines about the same trouble, s."""


class ImageInput:
    """Receives the images of one camera, turns malformed ones away and counts both.

    Attributes:
        received: images that came while the node was enabled.
        rejected: those among them that could not be used.
        last_rejection: what was wrong with the latest of those.
        last_arrival: when the latest image came, seconds of `time.monotonic`, None before.
    """

    def __init__(
        self, node: Node, name: str, topic: str, qos: QoSProfile, store: Callable[[Image], None]
    ) -> None:
        self.name = name
        self.qos = qos
        self.received = 0
        self.rejected = 0
        self.last_rejection = ""
        self.last_arrival: float | None = None
        self.enabled = True
        self._store = store
        self._node = node
        self._logger = node.get_logger().get_child(name)
        self._subscription = node.create_subscription(Image, topic, self._receive, qos)
        self.topic: str = self._subscription.topic_name

    def publisher_count(self) -> int:
        return self._node.count_publishers(self.topic)

    def _receive(self, message: Image) -> None:
        if not self.enabled:
            return
        self.received += 1
        self.last_arrival = time.monotonic()
        try:
            codec.check(message)
        except FrameError as error:
            self.rejected += 1
            self.last_rejection = str(error)
            self._logger.warning(f"{self.topic}: image dropped: {error}", throttle_duration_sec=LOG_EVERY)
        else:
            self._store(message)
