"""Compressed images from another process, over DDS."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, OUTPUTS, PERIOD, START, Peer, pixels_of, random_pair, stamp_of
from node_process import STUB_NODE, NodeProcess
from sensor_msgs.msg import CameraInfo, CompressedImage

from psfusion_core.cameras.thermal_gain import stretch

HEIGHT, WIDTH = 120, 160


@pytest.fixture
def stub(session_environment: dict[str, str]) -> Iterator[NodeProcess]:
    """Run a node whose engine is the stub, in transport auto."""
    with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node:
        node.wait_until_started()
        yield node


def compressed_message(
    image: np.ndarray, suffix: str, format: str, stamp: int, frame_id: str
) -> CompressedImage:
    message = CompressedImage(format=format)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.header.frame_id = frame_id
    message.data = array("B", cv2.imencode(suffix, image)[1].tobytes())
    return message


def compressed_pair(number: int) -> tuple[CompressedImage, CompressedImage, np.ndarray, np.ndarray]:
    """Make a JPEG and a 16-bit PNG message; and what they decode to, (H, W, 3) RGB and (H, W) counts."""
    generator = np.random.default_rng(number)
    bgr = cv2.resize(generator.integers(0, 256, (6, 8, 3), np.uint8), (WIDTH, HEIGHT))
    counts = generator.integers(7000, 9000, (HEIGHT, WIDTH), np.uint16)
    stamp = START + number * PERIOD
    visible = compressed_message(bgr, ".jpg", "rgb8; jpeg compressed bgr8", stamp, "visible_optical")
    infrared = compressed_message(counts, ".png", "mono16; png compressed ", stamp, "infrared_optical")
    decoded = cv2.imdecode(np.frombuffer(visible.data, np.uint8), cv2.IMREAD_COLOR)
    return visible, infrared, decoded[..., ::-1], counts


def test_a_jpeg_and_a_16_bit_png_give_every_output_with_stamp_frame_size_and_pixels(
    stub: NodeProcess,
) -> None:
    with Peer(transport="compressed") as peer:
        peer.connect()
        for camera in ("visible", "infrared"):
            stub.wait_for_log(f"listening to /{camera}/image/compressed now")
        peer.camera_info.publish(CameraInfo(height=HEIGHT, width=WIDTH))
        broken = compressed_pair(0)[0]
        broken.data = broken.data[:-1]
        peer.send(broken)
        peer.wait_until(lambda: peer.status("visible input").get("rejected") == "1", "the rejection")
        assert "expected a whole JPEG file" in peer.status("visible input")["last_rejection"]
        visible, infrared, rgb, counts = compressed_pair(1)
        stamp = stamp_of(visible)

        peer.send(visible, infrared)
        peer.wait_until(lambda: stamp in peer.sets(), "a set of outputs")

        outputs = peer.sets()[stamp]
        assert set(peer.sets()) == {stamp}
        assert set(outputs) == set(OUTPUTS)
        for message in outputs.values():
            assert message.header == visible.header
            assert (message.height, message.width) == (HEIGHT, WIDTH)
        assert np.array_equal(pixels_of(outputs["fused/image"]), rgb // 2 + stretch(counts)[..., None] // 2)
        assert peer.status("infrared input")["transport"] == "compressed"


def test_pixels_that_do_not_decode_are_counted_with_their_pair_and_the_next_one_is_fused(
    stub: NodeProcess,
) -> None:
    with Peer(("fused/image",), transport="compressed") as peer:
        peer.connect()
        visible, infrared, *_ = compressed_pair(0)
        infrared.data[len(infrared.data) // 2] ^= 255  # PNG has checksums
        peer.send(visible, infrared)
        peer.wait_until(lambda: peer.status("engine").get("rejected") == "1", "the count")
        assert "damaged data" in peer.status("engine")["last_rejection"]

        peer.send(*compressed_pair(1)[:2])
        peer.wait_until(lambda: START + PERIOD in peer.sets(), "the next pair")
        assert START not in peer.sets()


def test_raw_images_take_over_when_somebody_publishes_them_and_hand_back_when_nobody_does(
    stub: NodeProcess,
) -> None:
    with Peer(("fused/image",), transport="compressed") as compressed:
        compressed.connect()
        compressed.send(*compressed_pair(0)[:2])
        compressed.wait_until(lambda: START in compressed.sets(), "a pair of compressed images")

        with Peer(("fused/image",), name="raw_peer") as raw:
            raw.connect(peers=2)
            compressed.wait_until(
                lambda: not compressed.visible.get_subscription_count(), "the node to leave the compressed"
            )
            before = int(compressed.status("visible input")["received"])
            visible, infrared = random_pair(1, height=HEIGHT, width=WIDTH)
            compressed.send(*compressed_pair(1)[:2])
            raw.send(visible, infrared)
            raw.wait_until(lambda: START + PERIOD in raw.sets(), "a pair of raw images")
            expected = pixels_of(visible) // 2 + pixels_of(infrared)[..., None] // 2
            assert np.array_equal(pixels_of(raw.sets()[START + PERIOD]["fused/image"]), expected)
            compressed.wait_until(
                lambda: int(compressed.status("visible input")["received"]) > before, "the count"
            )
            assert int(compressed.status("visible input")["received"]) == before + 1

        compressed.connect()
        compressed.send(*compressed_pair(2)[:2])
        compressed.wait_until(lambda: START + 2 * PERIOD in compressed.sets(), "compressed images again")
    switches = [line for line in stub.log if "listening to /visible/image" in line]
    assert ["compressed now" in line for line in switches] == [True, False, True]
