"""What is known of the cameras: their camera_info, and how the infrared lies on the visible image."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo

from psfusion_core.cameras.stamped import Camera
from psfusion_core.registration import RegistrationSettings
from psfusion_core.registration.camera_registration import CAMERAS, CameraRegistration


class CameraInfoCache:
    """Hears both camera_info topics, and makes the registration out of the settings and of them."""

    def __init__(self, node: Node, settings: RegistrationSettings) -> None:
        """Get ready; `open` subscribes."""
        self._node = node
        self._infos: dict[Camera, CameraInfo] = {}
        self._subscriptions: list[Any] = []
        topics = {camera: node.resolve_topic_name(f"{camera}/camera_info") for camera in CAMERAS}
        self._registration = CameraRegistration(settings, topics)

    @property
    def mode(self) -> str:
        return self._registration.settings.mode

    def open(self) -> None:
        """Subscribe to both topics."""
        self._subscriptions = [
            self._node.create_subscription(
                CameraInfo, f"{camera}/camera_info", self._keeper(camera), qos_profile_sensor_data
            )
            for camera in CAMERAS
        ]

    def close(self) -> None:
        """Free the subscriptions; what was heard is kept."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions = []

    def camera_info(self, camera: Camera) -> CameraInfo | None:
        """Return the latest message of a camera, None before it came."""
        return self._infos.get(camera)

    def apply_to(self, fuser: Any) -> None:
        """Give a fuser the registration, where it has not got it yet.

        Raises:
            FrameError: extrinsics need the camera_info of both cameras, and one has not come.
            ValueError: a camera_info makes no sense.
        """
        self._registration.apply_to(fuser, self._infos)

    def _keeper(self, camera: Camera) -> Any:
        def keep(message: CameraInfo) -> None:
            self._infos[camera] = message

        return keep
