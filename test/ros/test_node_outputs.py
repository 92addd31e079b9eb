"""What the node publishes for a pair from another process, with the real engine and with the stub."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, OUTPUTS, Peer, pixels_of, random_pair, stamp_of
from node_process import REAL_NODE, STUB_NODE, NodeProcess
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core.fusion.compose import overlay
from psfusion_core.models.classes import CLASS_NAMES


@pytest.fixture(scope="module", params=[STUB_NODE, REAL_NODE], ids=["stub", "fuser"])
def connected(
    request: pytest.FixtureRequest, session_environment: dict[str, str], exported_network: None
) -> Iterator[Peer]:
    """Give a peer that is connected with a running node, which the tests of this module share."""
    with NodeProcess(request.param, session_environment, FAST_DIAGNOSTICS) as node:
        node.wait_until_started()
        with Peer() as peer:
            peer.connect()
            yield peer
        assert node.stop() == 0


@pytest.mark.parametrize(
    ("number", "encodings", "height", "width"),
    [
        (0, ("rgb8", "mono8"), 480, 640),
        (1, ("bgr8", "16UC1"), 480, 640),
        (2, ("rgb8", "mono8"), 299, 401),
    ],
)
def test_a_pair_from_another_process_gives_every_output_with_its_stamp_frame_encoding_and_size(
    connected: Peer, number: int, encodings: tuple[str, str], height: int, width: int
) -> None:
    visible, infrared = random_pair(number, encodings, height, width)
    info = CameraInfo(height=height, width=width, k=[500.0, 0, 320, 0, 500, 240, 0, 0, 1])
    info.header.frame_id = "elsewhere"
    stamp = stamp_of(visible)
    before = len(connected.received["/diagnostics"])
    connected.camera_info.publish(info)
    connected.wait_until(lambda: len(connected.received["/diagnostics"]) > before + 1, "the node to go on")

    connected.send(visible, infrared)
    connected.wait_until(lambda: stamp in connected.sets(), "a set of outputs")

    outputs = connected.sets()[stamp]
    assert set(outputs) == set(OUTPUTS)
    for message in outputs.values():
        assert stamp_of(message) == stamp
        assert message.header.frame_id == "visible_optical"
        assert (message.height, message.width) == (height, width)
    assert {topic: m.encoding for topic, m in outputs.items() if isinstance(m, Image)} == {
        "fused/image": "rgb8",
        "semantic/mask": "mono8",
        "semantic/overlay": "rgb8",
    }
    assert outputs["fused/image"].step == 3 * width
    assert len(outputs["fused/image"].data) == 3 * width * height
    assert outputs["semantic/mask"].step == width
    assert len(outputs["semantic/mask"].data) == width * height
    assert list(outputs["fused/camera_info"].k) == list(info.k)
    fused, mask = pixels_of(outputs["fused/image"]), pixels_of(outputs["semantic/mask"])
    assert mask.max() < len(CLASS_NAMES)
    assert np.array_equal(pixels_of(outputs["semantic/overlay"]), overlay(fused, mask, 0.5))
