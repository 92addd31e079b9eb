"""Publishers of the node's output topics."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Any, Literal

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String

from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_ros.image_messages import to_message
from psfusion_ros.qos import LATCHED_QOS, OUTPUT_QOS, explain_subscriber_mismatch

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks  # type: ignore[import-not-found,no-redef]

IMAGE_TOPICS = ("fused/image", "semantic/mask", "semantic/overlay")
"""In the order of `psfusion_core.fusion.pictures.Pictures`."""

CAMERA_INFO_TOPIC = "fused/camera_info"
LABEL_INFO_TOPIC = "semantic/label_info"
SOURCE_TOPIC = "~/source"


class Outputs:
    """Publishes the pictures of a pair, on every topic that has a subscriber, all with the same header.

    Attributes:
        overlay_opacity: Weight of the class colour in the overlay, in [0, 1]; may be set at any time.
        mismatch: What to do about a subscriber whose QoS does not match; empty without one.
    """

    def __init__(self, node: Node, overlay_opacity: float, class_names: Sequence[str]) -> None:
        """Create the publishers, and publish the class names of the mask's indices."""
        self.overlay_opacity = overlay_opacity
        self.mismatch = ""
        self._node = node
        self._publishers: dict[str, Any] = {topic: self._create(Image, topic) for topic in IMAGE_TOPICS}
        self._publishers[CAMERA_INFO_TOPIC] = self._create(CameraInfo, CAMERA_INFO_TOPIC)
        self._source_publisher = node.create_publisher(String, SOURCE_TOPIC, LATCHED_QOS)
        self._label_publisher = _publish_label_info(node, class_names)
        self._source = ""

    def close(self) -> None:
        """Destroy the publishers."""
        latched = (self._source_publisher, self._label_publisher)
        for publisher in (*self._publishers.values(), *latched):
            if publisher is not None:
                self._node.destroy_publisher(publisher)

    def publish_source(self, source: str) -> None:
        """Publish on ~/source what the outputs show (both, visible, infrared or none), if that changed."""
        if source != self._source:
            self._source = source
            self._source_publisher.publish(String(data=source))

    def topics(self) -> dict[str, str]:
        """Return the resolved name of every output topic by its relative name."""
        return {name: publisher.topic_name for name, publisher in self._publishers.items()}

    def subscribers(self) -> dict[str, int]:
        """Return how many subscribers each output topic has, by its relative name."""
        return {name: publisher.get_subscription_count() for name, publisher in self._publishers.items()}

    def subscribed_topics(self) -> frozenset[str]:
        """Return the relative names of the output topics that have a subscriber."""
        return frozenset(name for name, count in self.subscribers().items() if count)

    def wanted(self, topics: frozenset[str]) -> Wanted:
        """Return which pictures have to be made for these output topics."""
        opacity = self.overlay_opacity if "semantic/overlay" in topics else None
        return Wanted("fused/image" in topics, "semantic/mask" in topics, opacity)

    def publish(
        self,
        topics: frozenset[str],
        header: Header,
        pictures: Pictures,
        camera_info: CameraInfo | None,
    ) -> None:
        """Publish one set of outputs.

        Args:
            topics: The topics to publish on, from `subscribed_topics()`.
            header: The header of the visible image, or of the infrared one if that is passed through.
            pictures: The pictures, at least those for these topics.
            camera_info: The camera_info of the same camera, None if it has sent none.
        """
        if camera_info is not None and CAMERA_INFO_TOPIC in topics:
            self._publishers[CAMERA_INFO_TOPIC].publish(_restamped(camera_info, header))
        for topic, picture in zip(IMAGE_TOPICS, pictures, strict=True):
            if topic in topics:
                assert picture is not None
                encoding: Literal["rgb8", "mono8"] = "rgb8" if picture.ndim == 3 else "mono8"
                self._publishers[topic].publish(to_message(picture, encoding, header))

    def _create(self, kind: type[Any], topic: str) -> Any:
        events = PublisherEventCallbacks(incompatible_qos=partial(self._report_mismatch, topic))
        return self._node.create_publisher(kind, topic, OUTPUT_QOS, event_callbacks=events)

    def _report_mismatch(self, topic: str, event: Any) -> None:
        self.mismatch = explain_subscriber_mismatch(topic, event)
        self._node.get_logger().warning(self.mismatch)


def _restamped(camera_info: CameraInfo, header: Header) -> CameraInfo:
    restamped = copy(camera_info)
    restamped.header = header
    return restamped


def _publish_label_info(node: Node, class_names: Sequence[str]) -> Any | None:
    """Publish the class names once, latched; return None if vision_msgs is not installed."""
    try:
        from vision_msgs.msg import LabelInfo, VisionClass
    except ImportError:
        return None
    message = LabelInfo()
    message.header.stamp = node.get_clock().now().to_msg()
    message.class_map = [
        VisionClass(class_id=index, class_name=name) for index, name in enumerate(class_names)
    ]
    publisher = node.create_publisher(LabelInfo, LABEL_INFO_TOPIC, LATCHED_QOS)
    publisher.publish(message)
    return publisher
