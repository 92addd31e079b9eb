"""A node that is killed and started again, as launch does with respawn: fusion goes on."""

from __future__ import annotations

import signal
import time

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Cameras, Peer
from node_process import STUB_NODE, NodeProcess


def test_after_a_kill_a_new_node_takes_over_cameras_and_subscribers(
    session_environment: dict[str, str],
) -> None:
    with Peer(("fused/image",)) as peer, Cameras(peer) as cameras:
        with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node:
            node.wait_until_started()
            peer.wait_until(lambda: peer.received["fused/image"], "fusion")
            node.stop(signal.SIGKILL)
        with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node:
            count = len(peer.received["fused/image"])
            node.wait_until_started()
            started = time.monotonic()
            peer.wait_until(lambda: len(peer.received["fused/image"]) > count + 5, "fusion after the restart")
            assert time.monotonic() - started < 5.0
            assert node.stop() == 0
        assert all(cameras.is_right(message) for message in peer.received["fused/image"])
