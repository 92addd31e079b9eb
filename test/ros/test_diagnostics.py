"""Diagnostics: every trouble is told with its likely cause."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from diagnostic_msgs.msg import DiagnosticStatus

from psfusion_core.stream.pairing import StreamCounts
from psfusion_ros.diagnostics import Diagnostics, Sources
from psfusion_ros.qos import input_qos
from psfusion_ros.statistics import PairRecorder
from psfusion_ros.synchroniser import SyncReport

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class FakeNode:
    """What Diagnostics needs of a node."""

    def create_publisher(self, *_: object) -> None:
        pass

    def create_timer(self, *_: object, **__: object) -> None:
        pass

    def get_name(self) -> str:
        return "psfusion_node"

    def get_fully_qualified_name(self) -> str:
        return "/robot/psfusion_node"


def fake_input(name: str) -> Any:
    return SimpleNamespace(
        name=name, topic=f"/{name}/image", topics=(f"/{name}/image", f"/{name}/image/compressed"),
        active="raw", qos=input_qos("sensor_data", 5), enabled=True,
        received=0, rejected=0, last_rejection="", last_arrival=None, publisher_count=lambda: 1,
    )  # fmt: skip


class Scene:
    """A node's parts, to be put into trouble, and what the diagnostics say of it."""

    def __init__(self) -> None:
        self.inputs = fake_input("visible"), fake_input("infrared")
        self.pairs = PairRecorder()
        self.report = SyncReport(StreamCounts(), StreamCounts(), 0, None)
        self.subscribers = {"fused/image": 1, "semantic/mask": 0}
        sources = Sources(
            self.inputs,
            SimpleNamespace(report=lambda: self.report),  # type: ignore[arg-type]
            self.pairs,
            SimpleNamespace(subscribers=lambda: self.subscribers),  # type: ignore[arg-type]
            "lite on cpu",
            50.0,
        )
        self._diagnostics = Diagnostics(FakeNode(), 1.0, sources)  # type: ignore[arg-type]
        self._diagnostics.collect(now=0.0)

    def look(self, now: float) -> dict[str, DiagnosticStatus]:
        return {status.name: status for status in self._diagnostics.collect(now)}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def values(status: DiagnosticStatus) -> dict[str, str]:
    return {item.key: item.value for item in status.values}


def test_there_is_one_status_per_task_named_after_node_and_task(scene: Scene) -> None:
    statuses = scene.look(1.0)

    assert list(statuses) == [
        f"psfusion_node: {task}"
        for task in ("visible input", "infrared input", "synchronisation", "engine", "outputs")
    ]
    assert {status.hardware_id for status in statuses.values()} == {"/robot/psfusion_node"}


def test_rates_are_of_the_time_since_the_look_before(scene: Scene) -> None:
    visible = scene.inputs[0]
    visible.received, visible.last_arrival = 20, 1.9
    assert values(scene.look(2.0)["psfusion_node: visible input"])["rate_hz"] == "10.00"
    visible.received, visible.last_arrival = 25, 2.9

    status = scene.look(3.0)["psfusion_node: visible input"]

    assert (status.level, status.message) == (OK, "5.0 Hz")


def test_a_silent_camera_is_told_apart_from_one_that_nobody_publishes(scene: Scene) -> None:
    scene.inputs[1].publisher_count = lambda: 0

    statuses = scene.look(5.0)

    visible, infrared = statuses["psfusion_node: visible input"], statuses["psfusion_node: infrared input"]
    assert (visible.level, infrared.level) == (WARN, WARN)
    assert "do the QoS profiles match?" in visible.message
    assert "nobody publishes on /infrared/image or /infrared/image/compressed" in infrared.message


@pytest.mark.parametrize(("rejected", "level"), [(3, WARN), (10, ERROR)])
def test_images_dropped_are_a_warning_and_an_error_where_all_are(
    scene: Scene, rejected: int, level: bytes
) -> None:
    visible = scene.inputs[0]
    visible.received, visible.rejected, visible.last_rejection, visible.last_arrival = (
        10,
        rejected,
        "why",
        1.0,
    )

    status = scene.look(1.0)["psfusion_node: visible input"]

    assert status.level == level
    assert "why" in status.message
    assert values(status)["rejected"] == str(rejected)


def test_images_without_pairs_raise_the_question_of_the_clocks(scene: Scene) -> None:
    for source in scene.inputs:
        source.received, source.last_arrival = 50, 4.9
    scene.report = SyncReport(
        StreamCounts(received=50, dropped_unmatched=50),
        StreamCounts(received=50, waiting=50),
        0,
        -1_200_000_000,
    )

    status = scene.look(5.0)["psfusion_node: synchronisation"]

    assert status.level == WARN
    assert "no pair within 50 ms" in status.message
    assert "1.200 s apart: are the clocks synchronised?" in status.message
    assert "dropped_unmatched 50" in values(status)["visible"]
    assert values(status)["stream_difference_ms"] == "-1200.000"


def test_engine_trouble_is_an_error_until_it_is_over(scene: Scene) -> None:
    scene.pairs.failed("RuntimeError: out of memory")
    status = scene.look(1.0)["psfusion_node: engine"]
    assert (status.level, status.message) == (ERROR, "failed: RuntimeError: out of memory")

    scene.pairs.published(inference=0.1, latency=0.2)
    status = scene.look(2.0)["psfusion_node: engine"]

    assert (status.level, status.message) == (OK, "lite on cpu")
    assert values(status)["failed"] == "1"
    assert values(status)["inference"] == "mean 100.0, p95 100.0, max 100.0 ms"


def test_timings_are_those_since_the_look_before(scene: Scene) -> None:
    for latency in (0.1, 0.2, 0.3):
        scene.pairs.published(inference=0.05, latency=latency)

    first, second = (scene.look(now)["psfusion_node: outputs"] for now in (1.0, 2.0))

    assert first.message == "3.0 Hz"
    assert values(first)["latency"] == "mean 200.0, p95 290.0, max 300.0 ms"
    assert values(second)["latency"] == "none"
    assert values(second)["published"] == "3"


def test_without_subscribers_the_outputs_say_why_nothing_is_published(scene: Scene) -> None:
    scene.subscribers = {"fused/image": 0, "semantic/mask": 0}

    assert scene.look(1.0)["psfusion_node: outputs"].message == "no subscribers: nothing is computed"
