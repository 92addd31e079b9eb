"""The node's life cycle: each transition takes and gives back what it should, and failures can be mended."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

import rclpy
from harness import FAST_DIAGNOSTICS, PERIOD, START, Peer, random_pair
from lifecycle_msgs.msg import Transition
from node_process import STUB_NODE, NodeProcess
from rclpy.lifecycle import TransitionCallbackReturn
from stub_node import StubFuser

from psfusion_ros.node import PsfusionNode

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
INPUTS = ("visible/image", "infrared/image", "visible/camera_info", "infrared/camera_info")


def subscribers(peer: Peer) -> list[int]:
    return [peer.subscribers(topic) for topic in INPUTS]


def test_each_transition_takes_and_frees_what_it_should_and_the_cycle_can_be_gone_through_again(
    session_environment: dict[str, str],
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, "autostart:=false") as node,
        Peer(("fused/image",)) as peer,
    ):
        assert peer.state() == "unconfigured"
        assert subscribers(peer) == [0, 0, 0, 0]
        for number in (1, 2):
            assert peer.change_state(CONFIGURE)
            assert peer.state() == "inactive"
            assert subscribers(peer) == [0, 0, 0, 0], "an inactive node hears nothing"
            assert peer.change_state(ACTIVATE)
            peer.connect()
            peer.send(*random_pair(number))
            peer.wait_until(lambda: START + number * PERIOD in peer.sets(), "a pair while active")  # noqa: B023
            assert peer.change_state(DEACTIVATE)
            peer.wait_until(lambda: subscribers(peer) == [0, 0, 0, 0], "the subscriptions to be freed")
            assert peer.change_state(CLEANUP)
            assert peer.state() == "unconfigured"
            peer.wait_until(
                lambda: peer.status("engine").get("state") == "unconfigured", "diagnostics of the state"
            )
        assert node.stop() == 0
        assert "Traceback" not in "".join(node.log)


def test_a_model_that_cannot_be_loaded_leaves_the_node_unconfigured_with_the_reason_until_it_is_mended(
    session_environment: dict[str, str],
) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS, "weights:=missing") as node,
        Peer(("fused/image",)) as peer,
    ):
        assert "stub: no such weights" in node.wait_for_log("cannot configure")
        peer.wait_until(lambda: peer.status("engine"), "diagnostics")
        assert peer.state() == "unconfigured"
        status = peer.statuses("engine")[-1]
        assert status.level == b"\2"
        assert status.message == "unconfigured: cannot configure: stub: no such weights"

        assert not peer.change_state(CONFIGURE), "nothing has changed"
        assert peer.set_parameter("weights", "default").successful
        assert peer.change_state(CONFIGURE)
        assert peer.change_state(ACTIVATE)
        peer.connect()
        peer.send(*random_pair(1))
        peer.wait_until(lambda: START + PERIOD in peer.sets(), "a pair")
        assert peer.statuses("engine")[-1].level == b"\0"


def test_an_inactive_node_that_is_shut_down_ends_well(session_environment: dict[str, str]) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node,
        Peer(("fused/image",)) as peer,
    ):
        node.wait_until_started()
        assert peer.change_state(Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert peer.state() == "finalized"
        peer.wait_until(lambda: subscribers(peer) == [0, 0, 0, 0], "the subscriptions to be freed")
        assert node.stop() == 0


def test_cleaning_up_leaves_nobody_who_holds_the_engine(session_environment: dict[str, str]) -> None:
    made: list[weakref.ref[StubFuser]] = []

    def make(**settings: Any) -> StubFuser:
        fuser = StubFuser(**settings)
        made.append(weakref.ref(fuser))
        return fuser

    node = PsfusionNode(make)
    try:
        for transition in (
            node.trigger_configure, node.trigger_activate, node.trigger_deactivate, node.trigger_cleanup,
        ):  # fmt: skip
            assert transition() == TransitionCallbackReturn.SUCCESS
        gc.collect()
        assert [reference() for reference in made] == [None]
    finally:
        node.destroy_node()
        assert rclpy.ok()
