"""The latest camera_info of both cameras."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo

from psfusion_core.cameras.stamped import Camera
from psfusion_core.registration.camera_registration import CAMERAS


class CameraInfoCache:
    """Subscribes to both camera_info topics and keeps the latest message of each.

    Attributes:
        topics: The resolved topic of each camera.
        latest: The latest message of each camera that has sent one.
    """

    def __init__(self, node: Node) -> None:
        """Resolve the topics; `open` subscribes."""
        self.topics = {camera: node.resolve_topic_name(f"{camera}/camera_info") for camera in CAMERAS}
        self.latest: dict[Camera, CameraInfo] = {}
        self._node = node
        self._subscriptions: list[Any] = []

    def open(self) -> None:
        """Subscribe to both topics."""
        self._subscriptions = [
            self._node.create_subscription(
                CameraInfo, f"{camera}/camera_info", self._callback(camera), qos_profile_sensor_data
            )
            for camera in CAMERAS
        ]

    def close(self) -> None:
        """Destroy the subscriptions; the latest messages are kept."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def _callback(self, camera: Camera) -> Any:
        def keep(message: CameraInfo) -> None:
            self.latest[camera] = message

        return keep
