"""QoS of the inputs, between processes: what does not match is named with the remedy, and auto follows."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, PERIOD, START, Peer, random_pair
from node_process import STUB_NODE, NodeProcess
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


def test_a_publisher_that_a_reliable_node_cannot_hear_is_named_with_the_remedy(
    session_environment: dict[str, str],
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, "qos.input:=reliable") as node,
        Peer(("fused/image",), qos=BEST_EFFORT) as peer,
    ):
        line = node.wait_for_log("offers less than this node asks for")
        assert "RELIABILITY" in line
        assert "set qos.input to auto or sensor_data" in line
        peer.wait_until(
            lambda: "set qos.input to auto" in peer.status("visible input").get("message", ""),
            "the diagnostics",
        )
        assert peer.statuses("visible input")[-1].level == b"\2"


def test_auto_is_reliable_for_reliable_cameras_and_hears_best_effort_ones(
    session_environment: dict[str, str],
) -> None:
    parameters = (FAST_DIAGNOSTICS, "qos.input:=auto")
    with NodeProcess(STUB_NODE, session_environment, *parameters) as node:
        node.wait_until_started()
        with Peer(("fused/image",)) as peer:
            peer.wait_until(
                lambda: "reliable" in peer.status("infrared input").get("qos", ""), "a reliable subscription"
            )
            peer.connect()
            peer.send(*random_pair(1))
            peer.wait_until(lambda: START + PERIOD in peer.sets(), "a pair")
        with Peer(("fused/image",), qos=BEST_EFFORT, name="best_effort") as peer:
            peer.wait_until(
                lambda: all(
                    "best effort" in peer.status(f"{camera} input").get("qos", "")
                    for camera in ("visible", "infrared")
                ),
                "a best-effort subscription",
            )
            peer.connect()
            peer.send(*random_pair(2))
            peer.wait_until(lambda: START + 2 * PERIOD in peer.sets(), "a pair")


def test_a_subscriber_that_cannot_be_served_is_named_with_the_remedy(
    session_environment: dict[str, str],
) -> None:
    with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node, Peer(()) as peer:
        node.wait_until_started()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        peer.node.create_subscription(Image, "fused/image", lambda _: None, latched)
        line = node.wait_for_log("asks for more than this node offers")
        assert "DURABILITY" in line
        assert "durability volatile" in line
