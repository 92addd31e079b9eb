"""One camera's images as they arrive: usable ones go to the synchroniser, others are counted and logged."""

from __future__ import annotations

import time

from rclpy.node import Node

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.stamped import Camera
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.image_messages import AnyImage, with_known_encoding
from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings
from psfusion_ros.synchroniser import Synchroniser

LOG_EVERY = 5.0
"""Least time between two log lines about the same problem, s."""


class ImageInput:
    """Checks the images of one camera, and adds the usable ones to the synchroniser.

    Attributes:
        name: Name of the camera; its raw topic is NAME/image.
        subscription: The subscription to its images.
        clock: What its stamps look like.
        enabled: False while images are ignored.
        received: Images that arrived while the node was enabled.
        rejected: The unusable images among them.
        last_rejection: Why the latest of those was unusable.
    """

    def __init__(
        self, node: Node, name: Camera, parameters: NodeParameters, synchroniser: Synchroniser
    ) -> None:
        """Prepare the input; `open` subscribes."""
        self.name: Camera = name
        settings = SubscriptionSettings(parameters.transport, parameters.qos_input, parameters.qos_depth)
        self.subscription = CameraSubscription(node, name, settings, self.receive)
        self._check = ImageCheck(parameters.frozen_after)
        self._synchroniser = synchroniser
        self.clock = self._check.clock
        self.enabled = True
        self.received = 0
        self.rejected = 0
        self.last_rejection = ""
        self._last_arrival: float | None = None
        self._last_usable = time.monotonic()
        self._last_stamp: int | None = None
        self._last_problem = ""
        self._node = node
        self._logger = node.get_logger().get_child(name)

    def open(self) -> None:
        """Subscribe; the camera's silence is counted from now on."""
        self._last_usable = time.monotonic()
        self.subscription.open()

    def close(self) -> None:
        self.subscription.close()

    def set_enabled(self, enabled: bool) -> None:
        """Accept or ignore images from now on; the camera's silence is counted from now on."""
        self.enabled = enabled
        self._last_usable = time.monotonic()

    def receive(self, message: AnyImage) -> None:
        """Check an image that arrived now, and add it to the synchroniser if it can be used."""
        if not self.enabled:
            return
        now = time.monotonic()
        self.received += 1
        self._last_arrival = now
        try:
            message = with_known_encoding(message, self.name)
            stamp = self._check.accept(message, round(now * 1e9), self._node.get_clock().now().nanoseconds)
        except FrameError as error:
            self.rejected += 1
            self.last_rejection = self._last_problem = str(error)
            self._logger.warning(
                f"{self.subscription.topic}: image dropped: {error}", throttle_duration_sec=LOG_EVERY
            )
            return
        if stamp == self._last_stamp:  # added nevertheless: the pairing counts it as repeated
            self._last_problem = "stamps do not advance: have the camera driver stamp every image"
        else:
            self._last_usable = now
        self._last_stamp = stamp
        self._synchroniser.add(self.name, message)

    def silence(self, now: float) -> float:
        """Return the seconds since the latest usable image, or since the input was opened."""
        return now - self._last_usable

    def problem(self) -> str:
        """Return why no usable image arrives, and what to do."""
        if self._last_arrival is not None and self._last_arrival > self._last_usable:
            return self._last_problem
        if self.subscription.mismatch:
            return self.subscription.mismatch
        topics = " or ".join(self.subscription.topics)
        if not self.subscription.publisher_count():
            return f"nobody publishes on {topics}: start the camera or remap the topic"
        return f"no images though somebody publishes on {self.subscription.topic}: check the camera driver"
