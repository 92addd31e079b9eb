"""Faults while frames flow: the node stays up, publishes what is right, accounts for all frames, recovers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Cameras, Peer, counts_of, shifted, stamp_of
from node_process import STUB_NODE, NodeProcess
from sensor_msgs.msg import Image

RECOVERY = 2.0
"""Seconds that the node has from the end of a fault to the next output."""

Change = Callable[[str, int, Image], list[Image]]


@dataclass
class Drive:
    """A running node with cameras that send to it, and what to check in the end."""

    node: NodeProcess
    peer: Peer
    cameras: Cameras

    def fused(self) -> int:
        return len(self.peer.received["fused/image"])

    def flow(self, more: int = 5) -> None:
        """Wait for more outputs."""
        before = self.fused()
        self.peer.wait_until(lambda: self.fused() >= before + more, "outputs")

    def suffer(self, change: Change, seconds: float) -> None:
        """Let a fault last, end it, and see that outputs come again in time."""
        self.cameras.change = change
        time.sleep(seconds)
        self.cameras.change = as_it_is
        ended, before = time.monotonic(), self.fused()
        self.peer.wait_until(lambda: self.fused() > before, "an output after the fault")
        assert time.monotonic() - ended < RECOVERY

    def check(self) -> None:
        """See that the node runs, that every output is right, and that every frame is accounted for."""
        assert self.node.process.poll() is None
        assert "Traceback" not in "".join(self.node.log)
        for message in self.peer.received["fused/image"]:
            assert self.cameras.is_right(message)
        self.peer.wait_until(self._is_accounted_for, "every frame to be accounted for")

    def _is_accounted_for(self) -> bool:
        for camera in ("visible", "infrared"):
            counts, told = counts_of(self.peer, camera), self.peer.status(f"{camera} input")
            received, rejected = int(told["received"]), int(told["rejected"])
            if not received == self.cameras.sent[camera] == counts["received"] + rejected:
                return False
            if counts["received"] != sum(n for name, n in counts.items() if name != "received"):
                return False
        taken = int(self.peer.status("synchronisation")["pairs"])
        fates = sum(int(self.peer.status("outputs")[key]) for key in ("published", "unwatched", "discarded"))
        return taken == fates + sum(int(self.peer.status("engine")[key]) for key in ("failed", "rejected"))


def as_it_is(camera: str, number: int, message: Image) -> list[Image]:
    return [message]


@pytest.fixture
def drive(session_environment: dict[str, str]) -> Iterator[Drive]:
    """Run a node with cameras at 20 Hz, reliable all the way so that the middleware loses nothing."""
    with NodeProcess(
        STUB_NODE, session_environment, FAST_DIAGNOSTICS, "qos.input:=reliable", "qos.depth:=100"
    ) as node:
        node.wait_until_started()
        with Peer(("fused/image",)) as peer:
            peer.connect()
            with Cameras(peer) as cameras:
                result = Drive(node, peer, cameras)
                result.flow()
                yield result
            result.check()


@pytest.mark.parametrize("camera", ["visible", "infrared"])
def test_a_camera_that_stops_for_five_seconds_is_missed_and_taken_back(drive: Drive, camera: str) -> None:
    before = len(drive.node.log)  # a busy machine may have had it wait for the first images too

    drive.suffer(lambda which, _, message: [] if which == camera else [message], 5.0)

    drive.node.wait_for_log(f"the {camera} camera is back", before)
    said = [line for line in drive.node.log[before:] if f"the {camera} camera is" in line]
    assert len(said) == 2, "once when it went, once when it was back"
    assert "missing" in said[0]
    assert any(status.level == b"\2" for status in drive.peer.statuses(f"{camera} input"))
    drive.peer.wait_until(
        lambda: drive.peer.statuses(f"{camera} input")[-1].level == b"\0", "the diagnostics to be fine again"
    )


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("cameras", [("visible", "infrared"), ("visible",), ("infrared",)])
def test_a_clock_that_jumps_by_an_hour_costs_no_more_than_the_jump(
    drive: Drive, hours: int, cameras: tuple[str, ...]
) -> None:
    drive.suffer(
        lambda which, _, message: [shifted(message, 3600.0 * hours) if which in cameras else message], 3.0
    )

    if len(cameras) == 1:
        found = [status.message for status in drive.peer.statuses("synchronisation")]
        assert any("s apart: are the clocks synchronised?" in message for message in found)


def test_frames_that_come_twice_late_jittered_or_out_of_order_are_paired_or_counted(drive: Drive) -> None:
    generator = np.random.default_rng(0)
    held: dict[str, list[Image]] = {"visible": [], "infrared": []}

    def disturb(camera: str, number: int, message: Image) -> list[Image]:
        chance = generator.random()
        if chance < 0.1:
            return [message, message]
        if chance < 0.3:
            held[camera].append(message)  # comes after the next one
            return []
        late, held[camera] = held[camera], []
        return [shifted(message, generator.uniform(-0.01, 0.01)), *late]

    drive.suffer(disturb, 4.0)

    counts = counts_of(drive.peer, "visible")
    assert counts["dropped_late"] > 0
    assert counts["dropped_repeated"] > 0
    drive.flow(20)


@pytest.mark.parametrize("camera", ["visible", "infrared"])
def test_stamps_of_zero_are_refused_and_explained(drive: Drive, camera: str) -> None:
    def unstamped(which: str, number: int, message: Image) -> list[Image]:
        if which == camera:
            message.header.stamp.sec = message.header.stamp.nanosec = 0
        return [message]

    drive.suffer(unstamped, 2.5)

    assert "set header.stamp" in drive.peer.status(f"{camera} input")["last_rejection"]
    assert "the " + camera + " camera is missing" in "".join(drive.node.log)


def test_stamps_that_stand_still_pair_nothing_and_are_told(drive: Drive) -> None:
    frozen: list[int] = []

    def freeze(camera: str, number: int, message: Image) -> list[Image]:
        if camera == "infrared":
            frozen.append(stamp_of(message))
            shifted(message, (frozen[0] - stamp_of(message)) / 1e9)
        return [message]

    drive.suffer(freeze, 3.0)

    assert "stamps do not advance" in "".join(drive.node.log)
    assert counts_of(drive.peer, "infrared")["dropped_repeated"] > 30


def test_an_image_that_stands_still_is_refused_as_frozen_until_it_moves(
    session_environment: dict[str, str],
) -> None:
    parameters = (FAST_DIAGNOSTICS, "missing.frozen_after:=0.5", "missing.timeout:=0.5")
    with NodeProcess(STUB_NODE, session_environment, *parameters) as node, Peer(("fused/image",)) as peer:
        node.wait_until_started()
        peer.connect()
        with Cameras(peer) as cameras:
            still: list[Image] = []

            def hold(camera: str, number: int, message: Image) -> list[Image]:
                if camera == "visible":
                    return [message]
                still.append(message)
                moved = Image(**{name: getattr(still[0], name) for name in _FIELDS})
                moved.header = message.header
                return [moved]

            cameras.change = hold
            node.wait_for_log("the infrared camera is missing (expected images that change")
            count = len(peer.received["fused/image"])
            cameras.change = as_it_is
            node.wait_for_log("the infrared camera is back")
            peer.wait_until(lambda: len(peer.received["fused/image"]) > count, "fusion to go on")


_FIELDS = ("height", "width", "encoding", "is_bigendian", "step", "data")


def test_subscribers_that_come_and_go_get_what_is_published_meanwhile(drive: Drive) -> None:
    for number in range(4):
        with Peer(("fused/image", "semantic/mask"), name=f"visitor_{number}") as visitor:
            visitor.wait_until(lambda: len(visitor.sets()) >= 3, "outputs for a visitor")
            assert all(drive.cameras.is_right(message) for message in visitor.received["fused/image"])
    drive.flow()


@pytest.mark.parametrize("camera", ["visible", "infrared"])
def test_an_encoding_that_nobody_knows_is_explained_and_the_camera_taken_back(
    drive: Drive, camera: str
) -> None:
    def encode(which: str, number: int, message: Image) -> list[Image]:
        if which == camera:
            message.encoding = "imaginary8"
        return [message]

    drive.suffer(encode, 2.0)

    assert f"the {camera} camera is missing (expected one of the encodings" in "".join(drive.node.log)
    assert "imaginary8" in drive.peer.status(f"{camera} input")["last_rejection"]


def test_an_infrared_image_of_another_shape_is_not_fused_and_is_explained(drive: Drive) -> None:
    def widen(camera: str, number: int, message: Image) -> list[Image]:
        if camera == "infrared":
            message.height, message.width, message.step = 32, 96, 96  # as many bytes as before
        return [message]

    drive.suffer(widen, 1.0)

    assert int(drive.peer.status("engine")["rejected"]) > 0
    assert "sizes differ" in drive.peer.status("engine")["last_rejection"]
