"""Outputs: what has a subscriber is computed and published under one header, and nothing else."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from psfusion_core.fusion.compose import overlay
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import CLASS_NAMES
from psfusion_ros.outputs import Outputs

TOPICS = ("fused/image", "semantic/mask", "semantic/overlay", "fused/camera_info")


class FakePublisher:
    def __init__(self, topic: str, qos: QoSProfile) -> None:
        self.topic_name = f"/{topic}"
        self.qos = qos
        self.subscribers = 0
        self.published: list[Any] = []

    def get_subscription_count(self) -> int:
        return self.subscribers

    def publish(self, message: Any) -> None:
        self.published.append(message)


class FakeNode:
    """What Outputs needs of a node."""

    def __init__(self) -> None:
        self.publishers: dict[str, FakePublisher] = {}

    def create_publisher(self, kind: type, topic: str, qos: QoSProfile, **_: object) -> FakePublisher:
        self.publishers[topic] = FakePublisher(topic, qos)
        return self.publishers[topic]

    def get_clock(self) -> Any:
        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: Header().stamp))


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


def publish(outputs: Outputs, camera_info: CameraInfo | None) -> Header:
    header = Header(frame_id="visible_optical")
    header.stamp.sec = 12
    topics = outputs.subscribed_topics()
    outputs.publish(topics, header, made(outputs.wanted(topics)), camera_info)
    return header


def made(wanted: Wanted) -> Pictures:
    """Pictures as an engine makes them: those that are wanted."""
    image, mask = np.full((4, 5, 3), 100, np.uint8), np.eye(4, 5, dtype=np.uint8)
    tinted = None if wanted.overlay_opacity is None else overlay(image, mask, wanted.overlay_opacity)
    return Pictures(image if wanted.image else None, mask if wanted.mask else None, tinted)


@pytest.mark.parametrize("topic", TOPICS)
def test_only_the_topic_with_a_subscriber_is_published(node: FakeNode, topic: str) -> None:
    outputs = Outputs(node, 0.5, CLASS_NAMES)  # type: ignore[arg-type]
    node.publishers[topic].subscribers = 1

    header = publish(outputs, CameraInfo(width=5))

    assert {name: len(node.publishers[name].published) for name in TOPICS} == {
        name: int(name == topic) for name in TOPICS
    }
    assert node.publishers[topic].published[0].header == header


def test_pictures_that_nobody_wants_are_not_asked_for(node: FakeNode) -> None:
    outputs = Outputs(node, 0.3, CLASS_NAMES)  # type: ignore[arg-type]

    assert outputs.wanted(frozenset({"fused/image"})) == Wanted(image=True, mask=False)
    assert outputs.wanted(frozenset({"semantic/mask"})) == Wanted(image=False, mask=True)
    assert outputs.wanted(frozenset({"semantic/overlay"})) == Wanted(False, False, 0.3)
    assert outputs.wanted(frozenset({"fused/camera_info"})) == Wanted(False, False)


def test_the_camera_info_that_came_keeps_its_own_header(node: FakeNode) -> None:
    outputs = Outputs(node, 0.5, CLASS_NAMES)  # type: ignore[arg-type]
    node.publishers["fused/camera_info"].subscribers = 1
    came = CameraInfo(width=5, d=[0.1, 0.2])

    publish(outputs, came)

    (published,) = node.publishers["fused/camera_info"].published
    assert published.header.stamp.sec == 12
    assert (published.width, list(published.d)) == (5, [0.1, 0.2])
    assert came.header.stamp.sec == 0


def test_the_overlay_has_the_opacity_asked_for(node: FakeNode) -> None:
    outputs = Outputs(node, 0.0, CLASS_NAMES)  # type: ignore[arg-type]
    node.publishers["semantic/overlay"].subscribers = 1

    publish(outputs, None)

    assert set(node.publishers["semantic/overlay"].published[0].data) == {100}


def test_what_the_outputs_show_is_told_once_a_change_and_latched(node: FakeNode) -> None:
    outputs = Outputs(node, 0.5, CLASS_NAMES)  # type: ignore[arg-type]

    for source in ("both", "both", "visible", "both"):
        outputs.publish_source(source)

    publisher = node.publishers["~/source"]
    assert [message.data for message in publisher.published] == ["both", "visible", "both"]
    assert publisher.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL


def test_class_names_are_latched_where_vision_msgs_is_installed(
    node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = ModuleType("vision_msgs.msg")
    messages.LabelInfo = lambda: SimpleNamespace(header=Header(), class_map=[])  # type: ignore[attr-defined]
    messages.VisionClass = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vision_msgs", ModuleType("vision_msgs"))
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", messages)

    Outputs(node, 0.5, CLASS_NAMES)  # type: ignore[arg-type]

    publisher = node.publishers["semantic/label_info"]
    assert publisher.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL
    (label_info,) = publisher.published
    assert [(item.class_id, item.class_name) for item in label_info.class_map] == list(enumerate(CLASS_NAMES))
