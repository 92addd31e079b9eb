"""Writes the messages of the node's topics to a bag while the node runs, without decoding them.

Decoding and compressing images at the same time would slow down the node that is being recorded.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core.bags.bag_writer import BagWriter

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks  # type: ignore[import-not-found,no-redef]

INPUTS = ("visible/image", "infrared/image")
OUTPUTS = ("fused/image", "fused/camera_info", "semantic/mask", "semantic/overlay")

# Best effort matches every publisher. The depth is for messages that arrive while the disk is busy.
_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class Spool:
    """Subscribes to the node's inputs and outputs, and writes the serialised messages to a bag.

    Attributes:
        received: Number of received messages by topic.
    """

    def __init__(self, node: Node, writer: BagWriter) -> None:
        """Subscribe, and write to an open bag."""
        self.received: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._reported_lost: Counter[str] = Counter()
        self._last_number: dict[tuple[str, bytes], int] = {}
        self._writer = writer
        for topic in (*INPUTS, *OUTPUTS):
            kind = CameraInfo if topic.endswith("camera_info") else Image
            name = f"sensor_msgs/msg/{kind.__name__}"
            writer.add(topic, name)
            node.create_subscription(
                kind,
                topic,
                self._callback(topic, name),
                _QOS,
                raw=True,
                event_callbacks=SubscriptionEventCallbacks(message_lost=partial(self._count_lost, topic)),
            )

    def lost(self) -> dict[str, int]:
        """Return how many messages are known to be lost, by topic.

        Gaps in the publishers' sequence numbers and reports of the middleware show them. Neither shows a
        message that was lost before the first or after the last received one of a publisher.
        """
        return {t: max(self._skipped[t], self._reported_lost[t]) for t in (*INPUTS, *OUTPUTS)}

    def _callback(self, topic: str, kind: str) -> Any:
        def keep(
            data: bytes, info: dict[str, Any]
        ) -> None:  # rclpy passes `info` to callbacks of two parameters
            self.received[topic] += 1
            self._writer.write(topic, kind, info.get("received_timestamp") or time.time_ns(), data)
            self._count_skipped(topic, info)

        return keep

    def _count_skipped(self, topic: str, info: dict[str, Any]) -> None:
        number = info.get("publication_sequence_number")  # Humble does not report it
        if number is None:
            return
        publisher = topic, bytes(info.get("publisher_gid", {}).get("data", b""))
        before = self._last_number.get(publisher, number - 1)
        self._skipped[topic] += max(0, number - before - 1)
        self._last_number[publisher] = number

    def _count_lost(self, topic: str, event: Any) -> None:
        self._reported_lost[topic] += event.total_count_change
