"""psfusion_node as a process of its own, over DDS."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import (
    FAST_DIAGNOSTICS,
    OUTPUTS,
    PERIOD,
    START,
    Peer,
    counts_of,
    image_message,
    pixels_of,
    random_pair,
    stamp_of,
)
from node_process import PATIENCE, STUB_NODE, NodeProcess

from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.fusion.compose import overlay


@pytest.fixture
def stub(session_environment: dict[str, str]) -> Iterator[NodeProcess]:
    """Run a node whose engine is the stub."""
    with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node:
        node.wait_until_started()
        yield node


def test_colours_counts_and_padding_reach_the_engine_as_rgb_and_grey_levels(stub: NodeProcess) -> None:
    generator = np.random.default_rng(0)
    rgb = generator.integers(0, 256, (40, 50, 3), np.uint8)
    counts = generator.integers(7000, 9000, (40, 50), np.uint16)
    with Peer(("fused/image",)) as peer:
        peer.connect()
        peer.send(
            image_message(rgb[..., ::-1], "bgr8", START, "camera", padding=5),
            image_message(counts, "16UC1", START, "camera", padding=3),
        )
        peer.wait_until(lambda: START in peer.sets(), "a fused image")

        fused = pixels_of(peer.sets()[START]["fused/image"])

    assert np.array_equal(fused, rgb // 2 + stretch(counts)[..., None] // 2)


def test_a_stream_gives_one_set_a_pair_in_stamp_order_and_accounts_for_every_frame(
    session_environment: dict[str, str],
) -> None:
    slow = {**session_environment, "STUB_SECONDS": "0.05"}
    count = 40
    with (
        NodeProcess(STUB_NODE, slow, FAST_DIAGNOSTICS) as node,
        Peer(("fused/image", "semantic/mask")) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        for number in range(count):  # as fast as DDS takes them: far faster than the engine
            peer.send(*random_pair(number, height=32, width=32))

        def settled() -> bool:
            published = int(peer.status("outputs")["published"])
            return published > 0 and counts_of(peer, "visible")["paired"] == published == len(peer.sets())

        peer.wait_until(settled, "every pair to be published")
        stamps = [stamp_of(message) for message in peer.received["fused/image"]]
        assert stamps == sorted(set(stamps))
        assert set(stamps) <= {START + number * PERIOD for number in range(count)}
        for camera in ("visible", "infrared"):
            told = counts_of(peer, camera)
            assert told["received"] == int(peer.status(f"{camera} input")["received"])
            assert told["received"] == sum(value for name, value in told.items() if name != "received")
        assert len(stamps) < count
        assert counts_of(peer, "visible")["superseded"] > 0


def test_malformed_images_are_counted_and_explained_and_the_next_pair_is_fused(stub: NodeProcess) -> None:
    with Peer(("fused/image", "semantic/mask", "semantic/overlay")) as peer:
        peer.connect()
        broken = [random_pair(number) for number in range(4)]
        broken[0][0].data = broken[0][0].data[:-1]
        broken[1][0].encoding = "imaginary8"
        broken[2][1].step = 7
        broken[3][1].height = 0
        for visible, infrared in broken:
            peer.send(visible, infrared)
        peer.wait_until(lambda: peer.status("visible input").get("rejected") == "2", "two visible rejections")
        peer.wait_until(
            lambda: peer.status("infrared input").get("rejected") == "2", "two infrared rejections"
        )

        assert "imaginary8" in peer.status("visible input")["last_rejection"]
        assert "expected an image of at least 1 x 1" in peer.status("infrared input")["last_rejection"]
        assert any(status.level in (b"\1", b"\2") for status in peer.statuses("visible input"))
        assert any("12287" in line for line in stub.log), "the first rejection is logged with its numbers"

        peer.send(*random_pair(10))
        peer.wait_until(lambda: START + 10 * PERIOD in peer.sets(), "a pair after the malformed ones")
        assert set(peer.sets()) == {START + 10 * PERIOD}
    assert stub.process.poll() is None


@pytest.mark.parametrize("what", ["size", "engine"])
def test_a_pair_that_cannot_be_fused_is_counted_and_explained(stub: NodeProcess, what: str) -> None:
    with Peer(("fused/image",)) as peer:
        peer.connect()
        visible, infrared = random_pair(0)
        if what == "size":
            infrared = random_pair(0, width=66)[1]
        else:
            visible.data[0] = 13  # what the stub fails on, see stub_node.py
            visible.data[1] = 13
        peer.send(visible, infrared)
        key = {"size": "rejected", "engine": "failed"}[what]
        peer.wait_until(lambda: peer.status("engine").get(key) == "1", "the count")

        assert peer.status("engine")[f"last_{'rejection' if what == 'size' else 'failure'}"]
        assert any(status.level == b"\2" for status in peer.statuses("engine"))
        peer.send(*random_pair(1))
        peer.wait_until(lambda: START + PERIOD in peer.sets(), "the next pair")
        assert START not in peer.sets()


def test_set_enabled_stops_and_goes_without_a_new_start(stub: NodeProcess) -> None:
    with Peer(("fused/image",)) as peer:
        peer.connect()
        peer.send(*random_pair(0))
        peer.wait_until(lambda: START in peer.sets(), "a pair while enabled")

        peer.set_enabled(False)
        peer.send(*random_pair(1))
        before = len(peer.received["/diagnostics"])
        peer.wait_until(lambda: len(peer.received["/diagnostics"]) > before + 2, "the node to go on")
        assert peer.status("visible input")["message"] == "disabled by ~/set_enabled"

        peer.set_enabled(True)
        peer.send(*random_pair(2))
        peer.wait_until(lambda: START + 2 * PERIOD in peer.sets(), "a pair after enabling again")
        assert START + PERIOD not in peer.sets()


def test_without_subscribers_nothing_is_computed(stub: NodeProcess) -> None:
    with Peer(()) as peer:
        peer.connect()
        peer.send(*random_pair(0))
        peer.wait_until(lambda: peer.status("outputs").get("unwatched") == "1", "the count")

        assert peer.status("outputs")["message"] == "no subscribers: nothing is computed"
        assert peer.status("outputs")["published"] == "0"


@pytest.mark.parametrize("topic", ["fused/image", "semantic/mask", "semantic/overlay"])
def test_a_lone_subscriber_gets_the_picture_that_it_wants(stub: NodeProcess, topic: str) -> None:
    visible, infrared = random_pair(3)
    with Peer(outputs=(topic,)) as peer:
        peer.connect()
        peer.send(visible, infrared)
        peer.wait_until(lambda: peer.received[topic], "the picture")

    fused = pixels_of(visible) // 2 + pixels_of(infrared)[..., None] // 2
    mask = np.where(pixels_of(infrared) > 200, 2, 0).astype(np.uint8)
    pictures = {
        "fused/image": fused,
        "semantic/mask": mask,
        "semantic/overlay": overlay(fused, mask, 0.5),
    }
    assert np.array_equal(pixels_of(peer.received[topic][-1]), pictures[topic])


@pytest.mark.parametrize("when", ["idle", "mid-inference"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_node_with_status_0(
    session_environment: dict[str, str], how: signal.Signals, when: str
) -> None:
    environment = {**session_environment, "STUB_SECONDS": "1.0"}
    with NodeProcess(STUB_NODE, environment, FAST_DIAGNOSTICS) as node:
        node.wait_until_started()
        if when == "mid-inference":
            with Peer(("fused/image",)) as peer:
                peer.connect()
                peer.send(*random_pair(0))
                node.wait_for_log("stub: begins")
                status = node.stop(how)
        else:
            status = node.stop(how)

        assert status == 0
        assert "Traceback" not in "".join(node.log)


def test_the_start_up_line_says_engine_topics_and_qos(stub: NodeProcess) -> None:
    line = stub.wait_until_started()

    for words in (
        "stub on a device",
        "/visible/image",
        "/infrared/image",
        "transport auto, best effort",
        *(f"/{name}" for name in OUTPUTS),
    ):
        assert words in line


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("sync.tolerance_ms:=-1.0", "sync.tolerance_ms"),
        ("sync.tolerance_ms:=30", "50.0"),
        ("sync.policy:=psychic", "nearest, approximate, exact"),
        ("transport:=pigeon", "auto, raw, compressed"),
        ("gain.high_percentile:=0.5", "percentiles"),
    ],
)
def test_a_start_that_cannot_work_ends_with_status_1_and_one_line(
    session_environment: dict[str, str], parameter: str, said: str
) -> None:
    with NodeProcess(STUB_NODE, session_environment, parameter) as node:
        line = node.wait_for_log("FATAL")
        assert node.process.wait(PATIENCE) == 1

    assert said in line
    assert "Traceback" not in "".join(node.log)
