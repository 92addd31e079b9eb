"""One camera's images: a subscription, raw or compressed, whose callback only checks and stores."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has it nowhere else
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image

from psfusion_core.stream.frame import FrameError
from psfusion_ros import codec

TRANSPORTS = ("auto", "raw", "compressed")

LOOK_EVERY = 1.0
"""Seconds between two looks at who publishes, in transport auto."""

LOG_EVERY = 5.0
"""Least time between two log lines about the same trouble, s."""

_TYPES = {"raw": Image, "compressed": CompressedImage}


class ImageInput:
    """Receives the images of one camera, turns malformed ones away and counts both.

    It listens to one topic at a time, so that no image comes twice. In transport auto that is the compressed
    one while only that one has a publisher, and the raw one otherwise. The compressed topic is the raw one
    after remapping, with /compressed behind it, as image_transport has it.

    Attributes:
        transport: which of TRANSPORTS was asked for.
        active: what it listens to now, raw or compressed; `topic` is its name.
        topics: the names of the topics that images may come from.
        received: images that came while the node was enabled.
        rejected: those among them that could not be used.
        last_rejection: what was wrong with the latest of those.
        last_arrival: when the latest image came, seconds of `time.monotonic`, None before.
    """

    def __init__(
        self, node: Node, name: str, qos: QoSProfile, transport: str, store: Callable[[codec.AnyImage], None]
    ) -> None:
        """Subscribe to the images of a camera.

        Args:
            node: where.
            name: of the camera; its raw topic is NAME/image.
            qos: of the subscription.
            transport: one of TRANSPORTS.
            store: takes every image that can be used.
        """
        self.name = name
        self.qos = qos
        self.transport = transport
        self.received = 0
        self.rejected = 0
        self.last_rejection = ""
        self.last_arrival: float | None = None
        self.enabled = True
        self._store = store
        self._node = node
        self._logger = node.get_logger().get_child(name)
        # Subscribing remaps a name, so these are from before that: names must not be remapped twice.
        raw = f"{name}/image"
        self._names = {"raw": raw, "compressed": f"{node.resolve_topic_name(raw)}/compressed"}
        self._topics = {kind: node.resolve_topic_name(given) for kind, given in self._names.items()}
        self.topics = tuple(self._topics.values()) if transport == "auto" else (self._topics[transport],)
        self._listen("raw" if transport == "auto" else transport)
        if transport == "auto":
            node.create_timer(LOOK_EVERY, self._choose, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def topic(self) -> str:
        return self._topics[self.active]

    def publisher_count(self) -> int:
        return self._node.count_publishers(self.topic)

    def _listen(self, kind: str) -> None:
        self.active = kind
        self._subscription = self._node.create_subscription(
            _TYPES[kind], self._names[kind], self._receive, self.qos
        )

    def _choose(self) -> None:
        """Listen to the compressed topic while only that one has a publisher, to the raw one otherwise."""
        raw, compressed = (self._node.count_publishers(self._topics[kind]) for kind in ("raw", "compressed"))
        wanted = "compressed" if compressed and not raw else "raw"
        if wanted == self.active:
            return
        self._node.destroy_subscription(self._subscription)
        self._listen(wanted)
        self._logger.info(
            f"listening to {self.topic} now: publishers of raw images {raw}, of compressed ones {compressed}"
        )

    def _receive(self, message: codec.AnyImage) -> None:
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
