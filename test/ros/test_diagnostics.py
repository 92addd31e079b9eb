"""Diagnostics: every trouble is told with its likely cause."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from diagnostic_msgs.msg import DiagnosticStatus

from psfusion_core.cameras.clock_watch import ClockWatch
from psfusion_core.cameras.stamped import StreamCounts
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.diagnostics import Diagnostics
from psfusion_ros.diagnostics import publisher as publisher_module
from psfusion_ros.diagnostics.status import Status
from psfusion_ros.item_counts import ItemCounter
from psfusion_ros.qos import input_qos
from psfusion_ros.synchroniser import SyncReport

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class FakeNode:
    """What Diagnostics needs of a node."""

    def __init__(self) -> None:
        self.published: list[Any] = []

    def create_publisher(self, *_: object) -> Any:
        return SimpleNamespace(publish=self.published.append)

    def create_timer(self, *_: object, **__: object) -> None:
        pass

    def get_clock(self) -> Any:
        from builtin_interfaces.msg import Time

        return SimpleNamespace(now=lambda: SimpleNamespace(to_msg=lambda: Time(sec=5)))

    def get_name(self) -> str:
        return "psfusion_node"

    def get_fully_qualified_name(self) -> str:
        return "/robot/psfusion_node"


class FakeInput:
    """A camera's input whose figures are set by hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.enabled = True
        self.received = self.rejected = 0
        self.last_rejection = ""
        self.seconds = 0.0
        self.reason = "unplugged"
        self.verdict: str | None = None
        self.clock = ClockWatch()
        self.clock.verdict = lambda: self.verdict  # type: ignore[method-assign]
        self.subscription = SimpleNamespace(
            topic=f"/{name}/image", active="raw", qos=input_qos("sensor_data", 5), lost=0, mismatch="",
            publisher_count=lambda: 1,
        )  # fmt: skip

    def silence(self, now: float) -> float:
        return self.seconds

    def problem(self) -> str:
        return self.reason


class Scene:
    """A node's parts, to be put into trouble, and what the diagnostics say of it."""

    def __init__(self) -> None:
        self.inputs = FakeInput("visible"), FakeInput("infrared")
        self.item_counter = ItemCounter()
        self.report = SyncReport(StreamCounts(), StreamCounts(), 0, None)
        self.synchroniser = SimpleNamespace(report=lambda: self.report)
        self.subscribers = {"fused/image": 1, "semantic/mask": 0}
        self.outputs = SimpleNamespace(subscribers=lambda: self.subscribers, mismatch="")
        self.fuser = SimpleNamespace(
            description="lite on cpu", degraded="", retries=0, fallbacks=0, device=SimpleNamespace(type="cpu")
        )
        self.worker_is_alive = True
        self.parameters = NodeParameters()
        self.state = "active"
        self.node = FakeNode()
        self.diagnostics = Diagnostics(self.node, self.parameters)  # type: ignore[arg-type]
        self.diagnostics.pipeline = self  # type: ignore[assignment]
        self.diagnostics._last_collected = 0.0

    def look(self, now: float) -> dict[str, Status]:
        self.diagnostics.parameters, self.diagnostics.state = self.parameters, self.state
        return self.diagnostics.collect(now)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_message_has_one_status_a_task_named_after_node_and_task(scene: Scene) -> None:
    scene.diagnostics.state = "active"
    scene.diagnostics.publish()

    (message,) = scene.node.published
    assert [status.name for status in message.status] == [
        f"psfusion_node: {task}"
        for task in ("visible input", "infrared input", "synchronisation", "engine", "outputs")
    ]
    assert {status.hardware_id for status in message.status} == {"/robot/psfusion_node"}
    assert message.header.stamp.sec == 5
    assert all(status.values for status in message.status)


def test_a_worker_that_went_on_after_a_fault_or_has_ended_is_an_error(scene: Scene) -> None:
    assert scene.look(1.0)["engine"].values["worker"] == "alive"
    scene.item_counter.count_worker_fault("RuntimeError: broken pairing")

    status = scene.look(2.0)["engine"]
    assert (status.level, status.values["worker_faults"]) == (ERROR, 1)
    assert "RuntimeError: broken pairing" in status.message
    assert scene.look(3.0)["engine"].level == OK, "only the time since the last look counts"

    scene.worker_is_alive = False
    status = scene.look(4.0)["engine"]
    assert (status.level, status.values["worker"]) == (ERROR, "ended")
    assert "restart the node" in status.message


def test_rates_are_of_the_time_since_the_look_before(scene: Scene) -> None:
    scene.inputs[0].received = 20
    assert scene.look(2.0)["visible input"].values["rate_hz"] == "10.00"
    scene.inputs[0].received = 25

    status = scene.look(3.0)["visible input"]

    assert (status.level, status.message) == (OK, "5.0 Hz")


def test_a_rate_below_the_expected_one_is_a_warning_beyond_the_margin(scene: Scene) -> None:
    scene.parameters = replace(NodeParameters(), visible_rate=30.0, infrared_rate=9.0, output_rate=9.0)
    for source, count in zip(scene.inputs, (25, 7), strict=True):
        source.received = count

    statuses = scene.look(1.0)

    assert statuses["visible input"].level == OK
    assert (statuses["infrared input"].level, statuses["infrared input"].message) == (
        WARN,
        "7.0 Hz, expected 9 Hz",
    )
    assert statuses["outputs"].message == "0.0 Hz, expected 9 Hz"


def test_a_missing_camera_is_an_error_with_its_reason(scene: Scene) -> None:
    scene.inputs[1].seconds = 1.5

    status = scene.look(5.0)["infrared input"]

    assert (status.level, status.message) == (ERROR, "unplugged")
    scene.parameters = replace(NodeParameters(), missing_timeout=2.0)
    assert scene.look(6.0)["infrared input"].level == OK


@pytest.mark.parametrize(("rejected", "level"), [(3, WARN), (10, ERROR)])
def test_images_dropped_are_a_warning_and_an_error_where_all_are(
    scene: Scene, rejected: int, level: bytes
) -> None:
    visible = scene.inputs[0]
    visible.received, visible.rejected, visible.last_rejection = 10, rejected, "why"

    status = scene.look(1.0)["visible input"]

    assert status.level == level
    assert "why" in status.message
    assert status.values["rejected"] == rejected


def test_lost_images_clocks_and_qos_are_told_each(scene: Scene) -> None:
    visible = scene.inputs[0]
    visible.subscription.lost = 4
    visible.subscription.mismatch = "set qos.input to auto"
    visible.verdict = "stamps are 3.0 s ahead"

    status = scene.look(1.0)["visible input"]

    assert status.level == ERROR
    assert status.message.startswith("set qos.input to auto; ")
    assert "4 images lost" in status.message
    assert "stamps are 3.0 s ahead" in status.message


def test_images_without_pairs_raise_the_question_of_the_clocks(scene: Scene) -> None:
    counts = StreamCounts(received=50, dropped_unmatched=50), StreamCounts(received=50, waiting=50)
    scene.report = SyncReport(*counts, 0, -1_200_000_000)

    status = scene.look(5.0)["synchronisation"]

    assert status.level == WARN
    assert "no pair within 50 ms" in status.message
    assert "1.200 s apart: are the clocks synchronised?" in status.message
    assert "dropped_unmatched 50" in str(status.values["visible"])
    assert status.values["stream_difference_ms"] == "-1200.000"
    scene.report = SyncReport(*counts, 0, 80_000_000)
    assert "sync.infrared_offset_ms" in scene.look(6.0)["synchronisation"].message


def test_without_images_the_pairing_is_not_blamed(scene: Scene) -> None:
    scene.inputs[1].seconds = 9.0

    assert scene.look(9.0)["synchronisation"].level == OK


def test_engine_trouble_is_an_error_until_it_is_over(scene: Scene) -> None:
    scene.item_counter.count_failed("RuntimeError: broken")
    status = scene.look(1.0)["engine"]
    assert (status.level, status.message) == (ERROR, "failed: RuntimeError: broken")

    scene.item_counter.count_published(inference=0.1, latency=0.2)
    status = scene.look(2.0)["engine"]

    assert (status.level, status.message) == (OK, "lite on cpu")
    assert status.values["failed"] == 1
    assert status.values["inference"] == "mean 100.0, p95 100.0, max 100.0 ms"


def test_a_fallback_and_a_hot_device_are_warnings(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.fuser.degraded = "CUDA out of memory"
    assert scene.look(1.0)["engine"].level == WARN

    scene.fuser.degraded = ""
    health = SimpleNamespace(temperature=95.0, values=lambda: {"device_temperature": "95 C"})
    monkeypatch.setattr(publisher_module, "read_health", lambda _: health)
    status = scene.look(2.0)["engine"]
    assert status.level == WARN
    assert "95 degrees" in status.message
    scene.parameters = replace(NodeParameters(), temperature_warning=100.0)
    assert scene.look(3.0)["engine"].level == OK


def test_timings_are_those_since_the_look_before(scene: Scene) -> None:
    for latency in (0.1, 0.2, 0.3):
        scene.item_counter.count_published(inference=0.05, latency=latency)

    first, second = (scene.look(now)["outputs"] for now in (1.0, 2.0))

    assert first.message == "3.0 Hz"
    assert first.values["latency"] == "mean 200.0, p95 290.0, max 300.0 ms"
    assert second.values["latency"] == "none"
    assert second.values["published"] == 3


@pytest.mark.parametrize(("latency", "level"), [(0.05, OK), (0.15, WARN), (0.25, ERROR)])
def test_latency_is_held_against_both_limits(scene: Scene, latency: float, level: bytes) -> None:
    scene.parameters = replace(NodeParameters(), latency_warning_ms=100.0, latency_error_ms=200.0)
    scene.item_counter.count_published(inference=0.01, latency=latency)

    assert scene.look(1.0)["outputs"].level == level


def test_images_passed_through_are_flagged(scene: Scene) -> None:
    scene.item_counter.count_passed(latency=0.01)

    status = scene.look(1.0)["outputs"]

    assert status.level == WARN
    assert "passed through unfused" in status.message


def test_without_subscribers_the_outputs_say_why_nothing_is_published(scene: Scene) -> None:
    scene.subscribers = {"fused/image": 0, "semantic/mask": 0}

    assert scene.look(1.0)["outputs"].message == "no subscribers: nothing is computed"


def test_an_inactive_node_is_fine_and_one_that_failed_is_not(scene: Scene) -> None:
    scene.state, scene.diagnostics.pipeline = "unconfigured", None
    assert {status.level for status in scene.look(1.0).values()} == {OK}

    scene.diagnostics.failure = "cannot configure: no such weights"
    statuses = scene.look(2.0)

    assert statuses["engine"].level == ERROR
    assert statuses["engine"].message == "unconfigured: cannot configure: no such weights"
