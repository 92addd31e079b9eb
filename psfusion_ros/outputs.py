"""The node's output topics."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from psfusion_core.classes import CLASS_NAMES, overlay
from psfusion_ros.codec import to_message
from psfusion_ros.qos import LATCHED_QOS, OUTPUT_QOS

IMAGE_TOPICS = ("fused/image", "semantic/mask", "semantic/overlay")
CAMERA_INFO_TOPIC = "fused/camera_info"
LABEL_INFO_TOPIC = "semantic/label_info"


class Outputs:
    """Publishes what was computed for one pair: every topic that has a subscriber, all with one header."""

    def __init__(self, node: Node, overlay_opacity: float) -> None:
        """Create the publishers on a node.

        Args:
            node: where.
            overlay_opacity: weight of the class colour in the overlay, in [0, 1].
        """
        self._overlay_opacity = overlay_opacity
        self._publishers: dict[str, Any] = {
            topic: node.create_publisher(Image, topic, OUTPUT_QOS) for topic in IMAGE_TOPICS
        }
        self._publishers[CAMERA_INFO_TOPIC] = node.create_publisher(CameraInfo, CAMERA_INFO_TOPIC, OUTPUT_QOS)
        self._label_publisher = _publish_label_info(node)

    def topics(self) -> dict[str, str]:
        """Return the resolved name of every output topic by its relative name."""
        return {name: publisher.topic_name for name, publisher in self._publishers.items()}

    def subscribers(self) -> dict[str, int]:
        """Return how many subscribers each output topic has, by its relative name."""
        return {name: publisher.get_subscription_count() for name, publisher in self._publishers.items()}

    def wanted(self) -> frozenset[str]:
        """Return the relative names of the output topics that have a subscriber."""
        return frozenset(name for name, count in self.subscribers().items() if count)

    def publish(
        self,
        wanted: frozenset[str],
        header: Header,
        image: npt.NDArray[np.uint8],
        mask: npt.NDArray[np.uint8],
        camera_info: CameraInfo | None,
    ) -> None:
        """Publish one set of outputs.

        Args:
            wanted: the topics to compute and publish, from `wanted()`.
            header: that of the visible image.
            image: (H, W, 3) uint8 RGB, fused.
            mask: (H, W) uint8 class indices.
            camera_info: that of the visible camera, None where it has not come.
        """
        make: dict[str, Callable[[], Image]] = {
            "fused/image": lambda: to_message(image, "rgb8", header),
            "semantic/mask": lambda: to_message(mask, "mono8", header),
            "semantic/overlay": lambda: to_message(
                overlay(image, mask, self._overlay_opacity), "rgb8", header
            ),
        }
        if camera_info is not None and CAMERA_INFO_TOPIC in wanted:
            self._publishers[CAMERA_INFO_TOPIC].publish(_restamped(camera_info, header))
        for topic in IMAGE_TOPICS:
            if topic in wanted:
                self._publishers[topic].publish(make[topic]())


def _restamped(camera_info: CameraInfo, header: Header) -> CameraInfo:
    restamped = copy(camera_info)
    restamped.header = header
    return restamped


def _publish_label_info(node: Node) -> Any | None:
    """Publish the class names once, for whoever comes; None where vision_msgs is not installed."""
    try:
        from vision_msgs.msg import LabelInfo, VisionClass
    except ImportError:
        return None
    message = LabelInfo()
    message.header.stamp = node.get_clock().now().to_msg()
    message.class_map = [
        VisionClass(class_id=index, class_name=name) for index, name in enumerate(CLASS_NAMES)
    ]
    publisher = node.create_publisher(LabelInfo, LABEL_INFO_TOPIC, LATCHED_QOS)
    publisher.publish(message)
    return publisher
