"""Subscriptions: one topic at a time, the raw one wherever somebody publishes it, and the QoS that suits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

import rclpy
from hypothesis import given
from hypothesis import strategies as st
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings

TYPES = {"/visible/image": Image, "/visible/image/compressed": CompressedImage}


class FakeNode:
    """What an input needs of a node: a graph to look at, and a count of its own subscriptions."""

    def __init__(self) -> None:
        self.publishers = dict.fromkeys(TYPES, 0)
        self.subscribed: list[str] = []
        self.reliable = dict.fromkeys(TYPES, True)
        self.logged: list[str] = []

    def resolve_topic_name(self, name: str) -> str:
        return name if name.startswith("/") else f"/{name}"

    def create_subscription(self, kind: type, name: str, *_: object, **__: object) -> str:
        topic = self.resolve_topic_name(name)
        assert TYPES[topic] is kind
        self.subscribed.append(topic)
        return topic

    def destroy_subscription(self, topic: str) -> None:
        self.subscribed.remove(topic)

    def count_publishers(self, topic: str) -> int:
        return self.publishers[topic]

    def get_publishers_info_by_topic(self, topic: str) -> list[Any]:
        kind = ReliabilityPolicy.RELIABLE if self.reliable[topic] else ReliabilityPolicy.BEST_EFFORT
        profile = SimpleNamespace(reliability=kind)
        return [SimpleNamespace(qos_profile=profile)] * self.publishers[topic]

    def get_logger(self) -> Any:
        return SimpleNamespace(get_child=lambda _: SimpleNamespace(info=self.logged.append))


def listen(node: Any, transport: str, qos: str = "sensor_data") -> CameraSubscription:
    settings = SubscriptionSettings(transport, qos, 5)
    subscription = CameraSubscription(node, "visible", settings, lambda _: None)
    subscription.open()
    return subscription


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_auto_hears_one_topic_the_compressed_one_only_while_nobody_publishes_the_raw_one(
    graphs: list[tuple[int, int]],
) -> None:
    node = FakeNode()
    source = listen(node, "auto")
    assert node.subscribed == ["/visible/image"]
    switches = 0
    for raw, compressed in graphs:
        node.publishers = dict(zip(TYPES, (raw, compressed), strict=True))
        before = source.topic
        source.adapt()

        wanted = "/visible/image/compressed" if compressed and not raw else "/visible/image"
        assert node.subscribed == [source.topic] == [wanted]
        assert source.publisher_count() == node.publishers[wanted]
        switches += wanted != before
        assert len(node.logged) == switches, "each switch is logged once"


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12))
def test_qos_auto_is_reliable_while_every_publisher_is(graphs: list[tuple[int, bool]]) -> None:
    node = FakeNode()
    source = listen(node, "raw", "auto")
    expected = ReliabilityPolicy.BEST_EFFORT
    assert source.qos.reliability == expected
    for count, reliable in graphs:
        node.publishers["/visible/image"], node.reliable["/visible/image"] = count, reliable
        source.adapt()

        if count:
            expected = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        assert source.qos.reliability == expected
        assert node.subscribed == ["/visible/image"]


@pytest.mark.parametrize(
    ("transport", "topic"), [("raw", "/visible/image"), ("compressed", "/visible/image/compressed")]
)
def test_a_transport_that_was_asked_for_is_kept(transport: str, topic: str) -> None:
    node = FakeNode()
    source = listen(node, transport)
    node.publishers = dict.fromkeys(TYPES, 1)
    source.adapt()

    assert node.subscribed == [source.topic] == list(source.topics) == [topic]


def test_a_closed_subscription_is_not_opened_by_adapting() -> None:
    node = FakeNode()
    source = listen(node, "auto")
    source.close()
    node.publishers["/visible/image/compressed"] = 1
    source.adapt()

    assert node.subscribed == []


@pytest.fixture
def remapped(session_environment: dict[str, str]) -> Any:
    """Make a node that swaps the cameras: a name that is remapped twice comes back as it was."""
    rules = ("visible/image:=infrared/image", "infrared/image:=visible/image")
    arguments = ["--ros-args", *(word for rule in rules for word in ("-r", rule))]
    node: Node = rclpy.create_node("remapped", namespace="robot", cli_args=arguments)
    yield node
    node.destroy_node()


@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_a_remap_of_the_raw_topic_carries_over_to_the_compressed_one(remapped: Node, transport: str) -> None:
    source = listen(remapped, transport)

    expected = {"raw": "/robot/infrared/image", "compressed": "/robot/infrared/image/compressed"}[transport]
    assert source.topic == expected
    assert [subscription.topic_name for subscription in remapped.subscriptions] == [expected]
