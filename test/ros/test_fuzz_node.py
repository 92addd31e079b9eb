"""Hundreds of malformed images into a running node: it stays up and fuses what is right."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Cameras, Peer, stamp_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from malformed import images
from node_process import STUB_NODE, NodeProcess
from sensor_msgs.msg import Image

CASES = 500


def test_a_node_under_malformed_images_stays_up_and_publishes_right_output_only(
    session_environment: dict[str, str],
) -> None:
    sent = {"visible": 0, "infrared": 0}
    reliable = ("qos.input:=reliable", "qos.depth:=1000", FAST_DIAGNOSTICS)
    with NodeProcess(STUB_NODE, session_environment, *reliable) as node, Peer(("fused/image",)) as peer:
        node.wait_until_started()
        peer.connect()

        @settings(
            max_examples=CASES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(st.sampled_from(["visible", "infrared"]), images())
        def send(camera: str, message: Image) -> None:
            getattr(peer, camera).publish(message)
            sent[camera] += 1
            if sum(sent.values()) % 50 == 0:  # not faster than a reliable reader can take them
                peer.wait_until(lambda: _received(peer) >= sum(sent.values()) - 50, "the node to keep up")

        send()
        assert sum(sent.values()) >= CASES
        peer.wait_until(lambda: _received(peer) == sum(sent.values()), "the node to have seen them all")
        for camera in sent:
            assert int(peer.status(f"{camera} input")["rejected"]) > 0.5 * sent[camera]
        strange = {stamp_of(message) for message in peer.received["fused/image"]}
        with Cameras(peer) as cameras:
            peer.wait_until(lambda: len(peer.sets()) > len(strange) + 5, "fusion after it")
        after = [m for m in peer.received["fused/image"] if stamp_of(m) not in strange]
        assert all(cameras.is_right(message) for message in after)
        assert node.process.poll() is None
        assert "Traceback" not in "".join(node.log)


def _received(peer: Peer) -> int:
    return sum(int(peer.status(f"{camera} input").get("received", 0)) for camera in ("visible", "infrared"))
