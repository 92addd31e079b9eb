"""Live half of the recorder: the node's topics, as they come and unread, into a bag.

Decoding and compressing images meanwhile would take time from the node that is being recorded.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core.bags.writing import BagWriter

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks  # type: ignore[import-not-found,no-redef]

INPUTS = ("visible/image", "infrared/image")
OUTPUTS = ("fused/image", "fused/camera_info", "semantic/mask", "semantic/overlay")

# Best effort suits every publisher; the depth is for what comes while the disk is busy.
_QOS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


class Spool:
    """Subscribes to the node's inputs and outputs and writes the serialised messages to a bag.

    Attributes:
        received: messages by topic.
    """

    def __init__(self, node: Node, writer: BagWriter) -> None:
        """Subscribe, and write to a bag that is open."""
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
                self._keeper(topic, name),
                _QOS,
                raw=True,
                event_callbacks=SubscriptionEventCallbacks(message_lost=partial(self._lost_message, topic)),
            )

    def lost(self) -> dict[str, int]:
        """Return how many messages were sent but did not come, by topic.

        Known from gaps in the publishers' sequence numbers and from the middleware; what is missing before
        the first or after the last message of a publisher shows in neither.
        """
        return {t: max(self._skipped[t], self._reported_lost[t]) for t in (*INPUTS, *OUTPUTS)}

    def _keeper(self, topic: str, kind: str) -> Any:
        def keep(data: bytes, info: dict[str, Any]) -> None:  # rclpy counts the parameters: no more than two
            self.received[topic] += 1
            self._writer.write(topic, kind, info.get("received_timestamp") or time.time_ns(), data)
            self._follow(topic, info)

        return keep

    def _follow(self, topic: str, info: dict[str, Any]) -> None:
        number = info.get("publication_sequence_number")  # not told on Humble
        if number is None:
            return
        publisher = topic, bytes(info.get("publisher_gid", {}).get("data", b""))
        before = self._last_number.get(publisher, number - 1)
        self._skipped[topic] += max(0, number - before - 1)
        self._last_number[publisher] = number

    def _lost_message(self, topic: str, event: Any) -> None:
        self._reported_lost[topic] += event.total_count_change
