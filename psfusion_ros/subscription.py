"""Which topic a camera is heard on, and with which quality of service: both may follow its publishers."""

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
    """Hears one camera, on one topic at a time, so that no image comes twice.

    In transport auto that is the compressed topic while only that one has a publisher, and the raw one
    otherwise. The compressed topic is the raw one after remapping, with /compressed behind it, as
    image_transport has it. In QoS auto the subscription is reliable while every publisher is.

    Attributes:
        active: what is heard now, raw or compressed; `topic` is its name.
        qos: profile of the subscription.
        topics: the names of the topics that images may come from.
        lost: images that the middleware says it lost.
        mismatch: what to do about a publisher whose QoS does not match; empty without one.
    """

    def __init__(
        self, node: Node, name: str, settings: SubscriptionSettings, receive: Callable[[AnyImage], None]
    ) -> None:
        """Get ready; `open` subscribes.

        Args:
            node: where.
            name: of the camera; its raw topic is NAME/image.
            settings: how.
            receive: takes every image.
        """
        self._node = node
        self._settings = settings
        self._receive = receive
        self._logger = node.get_logger().get_child(name)
        # Subscribing remaps a name, so these are from before that: names must not be remapped twice.
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
        """Subscribe."""
        self.active, self.qos = self._wanted()
        self._listen()

    def close(self) -> None:
        """Free the subscription."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def adapt(self) -> None:
        """Look at who publishes, and subscribe anew where another topic or QoS suits better."""
        wanted = self._wanted()
        if self._subscription is None or wanted == (self.active, self.qos):
            return
        self.close()
        self.active, self.qos = wanted
        self._listen()
        self._logger.info(f"listening to {self.topic} now, {describe(self.qos)}, as its publishers suggest")

    def _wanted(self) -> tuple[str, QoSProfile]:
        kind = self._settings.transport
        if kind == "auto":
            raw, compressed = (self._node.count_publishers(self._topics[k]) for k in ("raw", "compressed"))
            kind = "compressed" if compressed and not raw else "raw"
        if self._settings.qos != "auto":
            return kind, self.qos
        offered = [info.qos_profile for info in self._node.get_publishers_info_by_topic(self._topics[kind])]
        if not offered and kind == self.active:  # nobody there now: as it was, until somebody is
            return kind, self.qos
        return kind, input_qos("auto", self._settings.depth, offered)

    def _listen(self) -> None:
        self.mismatch = ""
        subscribe = partial(
            self._node.create_subscription,
            _TYPES[self.active],
            self._names[self.active],
            self._receive,
            self.qos,
        )
        try:
            self._subscription = subscribe(
                event_callbacks=SubscriptionEventCallbacks(
                    incompatible_qos=self._report_mismatch, message_lost=self._count_lost
                )
            )
        except UnsupportedEventTypeError:  # not every middleware tells what it lost
            self._subscription = subscribe(
                event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._report_mismatch)
            )

    def _report_mismatch(self, event: Any) -> None:
        self.mismatch = explain_publisher_mismatch(self.topic, event)
        self._logger.error(self.mismatch)

    def _count_lost(self, event: Any) -> None:
        self.lost += event.total_count_change
