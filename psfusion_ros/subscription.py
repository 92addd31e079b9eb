"""The subscription to a camera's images. Its topic and its QoS may follow the publishers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image

from psfusion_ros.image_messages import AnyImage
from psfusion_ros.qos import describe, explain_publisher_mismatch, input_qos

try:
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import (  # type: ignore[import-not-found,no-redef]
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )

_TYPES = {"raw": Image, "compressed": CompressedImage}


@dataclass(frozen=True)
class SubscriptionSettings:
    """How to subscribe to a camera: values of the parameters transport, qos.input and qos.depth."""

    transport: str
    qos: str
    depth: int


class CameraSubscription:
    """Subscribes to one topic of a camera at a time, so that no image arrives twice.

    With transport auto this is the compressed topic while only that one has a publisher, and the raw topic
    otherwise. As in image_transport, the compressed topic is the remapped raw topic plus /compressed.
    With QoS auto the subscription is reliable while every publisher is.

    Attributes:
        active: The current transport, raw or compressed; `topic` is the name of its topic.
        qos: The current QoS profile.
        topics: The names of all topics that images may arrive on.
        lost: Images that the middleware reported as lost.
        mismatch: What to do about a publisher whose QoS does not match; empty without one.
    """

    def __init__(
        self, node: Node, name: str, settings: SubscriptionSettings, callback: Callable[[AnyImage], None]
    ) -> None:
        """Prepare the subscription; `open` subscribes.

        Args:
            node: The node that owns the subscription.
            name: Name of the camera; its raw topic is NAME/image.
            settings: Transport and QoS.
            callback: Called with every image.
        """
        self._node = node
        self._settings = settings
        self._callback = callback
        self._logger = node.get_logger().get_child(name)
        # Subscribing remaps a name. A name that was remapped already must not be remapped again.
        raw = f"{name}/image"
        self._names = {"raw": raw, "compressed": f"{node.resolve_topic_name(raw)}/compressed"}
        self._topics = {kind: node.resolve_topic_name(given) for kind, given in self._names.items()}
        transport = settings.transport
        self.topics = tuple(self._topics.values()) if transport == "auto" else (self._topics[transport],)
        self.active = "raw" if transport == "auto" else transport
        self.qos = input_qos(settings.qos, settings.depth)
        self.lost = 0
        self.mismatch = ""
        self._subscription: Any | None = None

    @property
    def topic(self) -> str:
        return self._topics[self.active]

    def publisher_count(self) -> int:
        return self._node.count_publishers(self.topic)

    def open(self) -> None:
        self.active, self.qos = self._suitable()
        self._subscribe()

    def close(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def adapt(self) -> None:
        """Check who publishes, and subscribe again if another topic or QoS suits the publishers better."""
        suitable = self._suitable()
        if self._subscription is None or suitable == (self.active, self.qos):
            return
        self.close()
        self.active, self.qos = suitable
        self._subscribe()
        self._logger.info(f"listening to {self.topic} now, {describe(self.qos)}, as its publishers suggest")

    def _suitable(self) -> tuple[str, QoSProfile]:
        """Return the transport and the QoS profile that suit the publishers now."""
        kind = self._settings.transport
        if kind == "auto":
            raw, compressed = (self._node.count_publishers(self._topics[k]) for k in ("raw", "compressed"))
            kind = "compressed" if compressed and not raw else "raw"
        if self._settings.qos != "auto":
            return kind, self.qos
        offered = [info.qos_profile for info in self._node.get_publishers_info_by_topic(self._topics[kind])]
        if not offered and kind == self.active:  # without a publisher, the profile stays as it was
            return kind, self.qos
        return kind, input_qos("auto", self._settings.depth, offered)

    def _subscribe(self) -> None:
        self.mismatch = ""
        subscribe = partial(
            self._node.create_subscription,
            _TYPES[self.active],
            self._names[self.active],
            self._callback,
            self.qos,
        )
        try:
            self._subscription = subscribe(
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=self._report_mismatch, message_lost=self._count_lost
                )
            )
        except UnsupportedEventTypeError:  # not every middleware reports lost messages
            self._subscription = subscribe(
                event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._report_mismatch)
            )

    def _report_mismatch(self, event: Any) -> None:
        self.mismatch = explain_publisher_mismatch(self.topic, event)
        self._logger.error(self.mismatch)

    def _count_lost(self, event: Any) -> None:
        self.lost += event.total_count_change
