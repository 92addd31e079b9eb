"""One camera's images, checked as they come: usable ones are stored, others counted and explained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.stamped import Camera
from psfusion_ros import image_messages
from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings

LOG_EVERY = 5.0
"""Least time between two log lines about the same trouble, s."""


@dataclass(frozen=True)
class InputSettings:
    """How a camera is heard, and after how many seconds of the very same image it is frozen (0: never)."""

    subscription: SubscriptionSettings
    frozen_after: float


class ImageInput:
    """Receives the images of one camera, turns away what cannot be used and counts all of it.

    Attributes:
        name: of the camera.
        subscription: where its images come from.
        clock: what its stamps look like.
        received: images that came while the node was enabled.
        rejected: those among them that could not be used.
        last_rejection: what was wrong with the latest of those.
        last_arrival: when the latest image came, seconds of `time.monotonic`, None before.
    """

    def __init__(
        self,
        node: Node,
        name: Camera,
        settings: InputSettings,
        store: Callable[[Camera, image_messages.AnyImage], None],
    ) -> None:
        """Get ready; `open` subscribes.

        Args:
            node: where.
            name: of the camera; its raw topic is NAME/image.
            settings: how.
            store: takes every image that can be used.
        """
        self.name: Camera = name
        self.subscription = CameraSubscription(node, name, settings.subscription, self._receive)
        self._check = ImageCheck(settings.frozen_after, image_messages.check, image_messages.to_frame)
        self.clock = self._check.clock
        self.received = 0
        self.rejected = 0
        self.last_rejection = ""
        self.last_arrival: float | None = None
        self.enabled = True
        self._last_usable = time.monotonic()
        self._last_stamp: int | None = None
        self._unusable = ""
        self._store = store
        self._node = node
        self._logger = node.get_logger().get_child(name)

    def open(self) -> None:
        """Subscribe; a camera has time from now on to send something."""
        self._last_usable = time.monotonic()
        self.subscription.open()

    def set_enabled(self, enabled: bool) -> None:
        """Ignore what comes, or take it; a camera has time from now on to send something."""
        self.enabled = enabled
        self._last_usable = time.monotonic()

    def silence(self, now: float) -> float:
        """Return the seconds since the latest image that can be used, or since the input was opened."""
        return now - self._last_usable

    def trouble(self) -> str:
        """Return why no usable image comes, and what to do."""
        if self.last_arrival is not None and self.last_arrival > self._last_usable:
            return self._unusable
        if self.subscription.mismatch:
            return self.subscription.mismatch
        topics = " or ".join(self.subscription.topics)
        if not self.subscription.publisher_count():
            return f"nobody publishes on {topics}: start the camera or remap the topic"
        return f"no images though somebody publishes on {self.subscription.topic}: look at the camera driver"

    def _receive(self, message: image_messages.AnyImage) -> None:
        if not self.enabled:
            return
        now = time.monotonic()
        self.received += 1
        self.last_arrival = now
        try:
            stamp = self._check(message, round(now * 1e9), self._node.get_clock().now().nanoseconds)
        except FrameError as error:
            self.rejected += 1
            self.last_rejection = self._unusable = str(error)
            self._logger.warning(
                f"{self.subscription.topic}: image dropped: {error}", throttle_duration_sec=LOG_EVERY
            )
            return
        if stamp == self._last_stamp:  # stored all the same: the pairing counts it as repeated
            self._unusable = "stamps do not advance: have the camera driver stamp every image"
        else:
            self._last_usable = now
        self._last_stamp = stamp
        self._store(self.name, message)
