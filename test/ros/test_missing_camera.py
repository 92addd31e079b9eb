"""A camera that is missing: what is passed through, how that is flagged, and how it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Cameras, Peer, pixels_of, random_pair, stamp_of
from hypothesis import given
from hypothesis import strategies as st
from node_process import STUB_NODE, NodeProcess
from sensor_msgs.msg import Image

from psfusion_ros.missing_camera import MissingCameraWatch

QUICK = (FAST_DIAGNOSTICS, "missing.timeout:=0.3")


class FakeSource:
    """A camera's input whose silence is set by hand."""

    def __init__(self, name: Any) -> None:
        self.name = name
        self.seconds = 0.0

    def silence(self, now: float) -> float:
        return self.seconds

    def problem(self) -> str:
        return "unplugged"


POLICIES = ("none", "visible", "infrared", "either")


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3), st.sampled_from(POLICIES)), max_size=30))
def test_only_the_camera_that_is_there_is_passed_and_only_if_the_policy_says_so(
    looks: list[tuple[float, float, str]],
) -> None:
    said: list[str] = []
    visible, infrared = FakeSource("visible"), FakeSource("infrared")
    logger = SimpleNamespace(warning=said.append, info=said.append)
    watch = MissingCameraWatch(visible, infrared, logger)
    changes = 0
    gone = {"visible": False, "infrared": False}
    for visible.seconds, infrared.seconds, policy in looks:
        passed = watch.update(0.0, policy, timeout=1.0)

        if passed is not None:
            absent = {"visible": infrared, "infrared": visible}[passed]
            present = {"visible": visible, "infrared": infrared}[passed]
            assert present.seconds <= 1.0 < absent.seconds
            assert policy in ("either", passed)
        elif policy == "either":
            assert (visible.seconds > 1.0) == (infrared.seconds > 1.0)
        for source in (visible, infrared):
            changes += (source.seconds > 1.0) != gone[source.name]
            gone[source.name] = source.seconds > 1.0
        assert len(said) == changes, "one line each way"


@pytest.mark.parametrize(
    ("policy", "stopped", "frame_id"),
    [("visible", "infrared", "visible_optical"), ("infrared", "visible", "infrared_optical")],
)
def test_the_other_cameras_images_are_passed_through_unchanged_flagged_and_no_longer_than_needed(
    session_environment: dict[str, str], policy: str, stopped: str, frame_id: str
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, *QUICK, f"missing.policy:={policy}") as node,
        Peer(("fused/image", "semantic/mask", "semantic/overlay")) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        with Cameras(peer) as cameras:
            sent: dict[int, np.ndarray] = {}

            def stop(camera: str, number: int, message: Image) -> list[Image]:
                if camera == stopped:
                    return []
                sent[stamp_of(message)] = pixels_of(message)
                return [message]

            peer.wait_until(lambda: len(peer.sets()) > 3, "fusion")
            assert peer.received["source"][-1].data == "both"
            started = len(node.log)
            cameras.change = stop
            peer.wait_until(lambda: peer.received["source"][-1].data == policy, "the flag")
            count = len(peer.sets())
            peer.wait_until(lambda: len(peer.sets()) > count + 5, "images passed through")
            passed = [messages for stamp, messages in sorted(peer.sets().items())][count + 1 :]
            peer.wait_until(
                lambda: any("passed through unfused" in s.message for s in peer.statuses("outputs")),
                "the diagnostics",
            )
            cameras.change = lambda camera, number, message: [message]
            peer.wait_until(lambda: peer.received["source"][-1].data == "both", "fusion to go on")

        for messages in passed:
            image = pixels_of(messages["fused/image"])
            expected = sent[stamp_of(messages["fused/image"])]
            assert np.array_equal(image, expected if policy == "visible" else np.dstack([expected] * 3))
            assert messages["fused/image"].header.frame_id == frame_id
            assert not pixels_of(messages["semantic/mask"]).any()
            assert np.array_equal(pixels_of(messages["semantic/overlay"]), image)
        stamps = [stamp_of(message) for message in peer.received["fused/image"]]
        assert stamps == sorted(set(stamps)), "no frame twice, in order across both changes"
        back = f"the {stopped} camera is back"
        peer.wait_until(lambda: any(back in line for line in node.log[started:]), "the log")
        said = [line for line in node.log[started:] if f"the {stopped} camera is" in line]
        assert ["missing" in line for line in said] == [True, False], "once each way"
        peer.wait_until(lambda: int(peer.status("synchronisation")["alone"]) > 5, "the count")


def test_a_pair_whose_infrared_image_has_a_wrong_size_passes_the_visible_one_where_the_policy_says_so(
    session_environment: dict[str, str],
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, "missing.policy:=visible") as node,
        Peer(("fused/image",)) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        visible, _ = random_pair(1)
        _, infrared = random_pair(1, width=96)
        peer.send(visible, infrared)
        peer.wait_until(lambda: peer.sets(), "the image passed through")

        assert np.array_equal(pixels_of(peer.received["fused/image"][0]), pixels_of(visible))
        peer.wait_until(lambda: peer.status("outputs").get("passed") == "1", "the count")
        assert "sizes differ" in peer.status("engine")["last_rejection"]


@pytest.mark.parametrize(("policy", "passed"), [("visible", "0"), ("either", "1")])
def test_a_visible_image_that_is_too_small_is_never_passed_through_as_the_good_one_of_its_pair(
    session_environment: dict[str, str], policy: str, passed: str
) -> None:
    parameters = f"missing.policy:={policy}", FAST_DIAGNOSTICS
    with NodeProcess(STUB_NODE, session_environment, *parameters) as node, Peer(("fused/image",)) as peer:
        node.wait_until_started()
        peer.connect()
        small, _ = random_pair(1, width=16)
        _, infrared = random_pair(1)
        peer.send(small, infrared)
        expected = "expected visible images of at least 32 x 32 pixels, got 16 x 64"
        peer.wait_until(lambda: expected in peer.status("engine").get("last_rejection", ""), "the reason")
        peer.wait_until(lambda: peer.status("outputs").get("passed") == passed, "the count")
        if passed == "1":
            peer.wait_until(lambda: peer.sets(), "the image passed through")
            assert peer.received["fused/image"][0].width == infrared.width
        else:
            assert not peer.sets()


def test_a_fault_of_the_engine_is_no_reason_to_pass_the_visible_image_through(
    session_environment: dict[str, str],
) -> None:
    parameters = "missing.policy:=visible", FAST_DIAGNOSTICS
    with NodeProcess(STUB_NODE, session_environment, *parameters) as node, Peer(("fused/image",)) as peer:
        node.wait_until_started()
        peer.connect()
        visible, infrared = random_pair(1)
        visible.data[0] = visible.data[1] = 15  # the engine raises a ValueError, see stub_node.py
        peer.send(visible, infrared)
        peer.wait_until(lambda: peer.status("engine").get("failed") == "1", "the failure")

        assert "stub: a fault of the engine" in peer.status("engine")["last_failure"]
        assert peer.status("outputs")["passed"] == "0"
        assert not peer.sets()


def test_a_device_without_memory_is_left_for_the_cpu_and_the_pair_is_fused_all_the_same(
    session_environment: dict[str, str],
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, "engine:=tensorrt") as node,
        Peer(("fused/image",)) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        visible, infrared = random_pair(1)
        visible.data[0] = visible.data[1] = 14  # what the stub has no memory for, see stub_node.py
        peer.send(visible, infrared)
        peer.wait_until(lambda: peer.sets(), "the pair")

        node.wait_for_log("going on with stub on cpu")
        peer.wait_until(lambda: peer.status("engine")["out_of_memory_fallbacks"] == "1", "the count")
        assert peer.statuses("engine")[-1].level == b"\1"
        assert peer.status("engine")["out_of_memory_retries"] == "1"
