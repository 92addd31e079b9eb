"""Parameters while the node works: checked, taken over at once, or refused with the reason."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import (
    FAST_DIAGNOSTICS,
    PERIOD,
    START,
    Cameras,
    Peer,
    image_message,
    pixels_of,
    random_pair,
    stamp_of,
)
from node_process import STUB_NODE, NodeProcess

from psfusion_core.cameras.thermal_gain import GainSettings, stretch
from psfusion_core.fusion.compose import overlay


@pytest.fixture
def running(session_environment: dict[str, str]) -> Iterator[Peer]:
    """Give a peer that is connected with a running node."""
    with NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node:
        node.wait_until_started()
        with Peer(("fused/image", "semantic/mask", "semantic/overlay")) as peer:
            peer.connect()
            yield peer
        assert node.process.poll() is None
        assert "Traceback" not in "".join(node.log)


def test_the_opacity_of_the_overlay_changes_with_the_next_pair(running: Peer) -> None:
    assert running.set_parameter("overlay.opacity", 0.25).successful

    running.send(*random_pair(1))
    running.wait_until(lambda: START + PERIOD in running.sets(), "a pair")

    outputs = running.sets()[START + PERIOD]
    fused, mask = pixels_of(outputs["fused/image"]), pixels_of(outputs["semantic/mask"])
    assert np.array_equal(pixels_of(outputs["semantic/overlay"]), overlay(fused, mask, 0.25))
    assert not np.array_equal(pixels_of(outputs["semantic/overlay"]), overlay(fused, mask, 0.5))


def test_gain_in_degrees_and_black_hot_reach_the_engine(running: Peer) -> None:
    counts = np.linspace(28_000, 31_000, 48 * 64).astype(np.uint16).reshape(48, 64)
    for name, value in (("gain.low", 10.0), ("gain.high", 30.0), ("gain.mode", "celsius")):
        assert running.set_parameter(name, value).successful
    assert running.set_parameter("gain.polarity", "black_hot").successful
    black = np.zeros((48, 64, 3), np.uint8)

    running.send(image_message(black, "rgb8", START, "a"), image_message(counts, "mono16", START, "b"))
    running.wait_until(lambda: START in running.sets(), "a pair")

    # 10 and 30 degrees at 0.01 K a count are counts 28315 and 30315.
    settings = GainSettings(fixed_range=(28_315.0, 30_315.0), polarity="black_hot")
    expected = stretch(counts, settings)[..., None] // 2
    assert np.array_equal(pixels_of(running.sets()[START]["fused/image"]), np.repeat(expected, 3, axis=2))


def test_the_tolerance_decides_from_now_on_what_pairs(running: Peer) -> None:
    visible, infrared = random_pair(1)
    infrared.header.stamp.nanosec += 80_000_000
    running.send(visible, infrared)
    running.wait_until(
        lambda: "dropped_unmatched 1" in running.status("synchronisation").get("visible", ""), "the drop"
    )

    assert running.set_parameter("sync.tolerance_ms", 90.0).successful
    visible, infrared = random_pair(5)
    infrared.header.stamp.nanosec += 80_000_000
    running.send(visible, infrared)

    running.wait_until(lambda: START + 5 * PERIOD in running.sets(), "the pair")
    assert START + PERIOD not in running.sets()


def test_what_cannot_be_set_is_refused_with_the_reason(running: Peer) -> None:
    for name, value, reason in (
        ("overlay.opacity", 1.5, "overlay.opacity"),
        ("gain.mode", "psychic", "percentile, fixed, celsius"),
        ("gain.high_percentile", 0.5, "percentiles 0 <= low < high"),
        ("sync.tolerance_ms", -1.0, "sync.tolerance_ms"),
        ("missing.policy", "guess", "none, visible, infrared, either"),
        ("model", "psfusion", "deactivate and clean it up first"),
        ("qos.depth", 7, "deactivate and clean it up first"),
        ("diagnostics.period", 5.0, "read-only"),
        ("overlay.opacity", "much", ""),
    ):
        result = running.set_parameter(name, value)

        assert not result.successful, (name, value)
        assert reason in result.reason, (name, value)


def test_a_storm_of_parameters_leaves_every_output_right(running: Peer) -> None:
    generator = random.Random(0)
    changes = [
        ("overlay.opacity", lambda: generator.uniform(-0.5, 1.5)),
        ("sync.tolerance_ms", lambda: generator.uniform(-10.0, 90.0)),
        ("gain.low_percentile", lambda: generator.uniform(0.0, 120.0)),
        ("gain.mode", lambda: generator.choice(["percentile", "fixed", "celsius", "nonsense"])),
        ("enabled", lambda: generator.random() < 0.7),
        ("missing.policy", lambda: generator.choice(["none", "visible", "either", "x"])),
        ("model", lambda: "psfusion"),
    ]
    with Cameras(running) as cameras:
        answers = [
            running.set_parameter(name, value()).successful
            for name, value in (generator.choice(changes) for _ in range(300))
        ]
        assert running.set_parameter("enabled", True).successful
        assert running.set_parameter("sync.tolerance_ms", 50.0).successful
        before = len(running.received["fused/image"])
        running.wait_until(lambda: len(running.received["fused/image"]) > before + 5, "fusion after it")

    assert True in answers
    assert False in answers
    stamps = [stamp_of(message) for message in running.received["fused/image"]]
    assert stamps == sorted(set(stamps))
    assert all(cameras.is_right(message) for message in running.received["fused/image"])
