"""The node's state on /diagnostics: one status each for both inputs, synchronisation, engine and outputs.

Names follow diagnostic_updater ("node: task"): rqt_robot_monitor and aggregators take them as they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has it nowhere else
from rclpy.node import Node

from psfusion_core.stream.pairing import StreamCounts
from psfusion_ros.inputs import ImageInput
from psfusion_ros.outputs import Outputs
from psfusion_ros.qos import describe
from psfusion_ros.statistics import PairRecorder, PairStatistics, summary
from psfusion_ros.synchroniser import Synchroniser, SyncReport

SILENT_AFTER = 2.0
"""Seconds without an image or a pair that are worth a warning."""

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@dataclass(frozen=True)
class Sources:
    """What the diagnostics look at."""

    inputs: tuple[ImageInput, ImageInput]
    synchroniser: Synchroniser
    pairs: PairRecorder
    outputs: Outputs
    engine: str
    tolerance_ms: float


class Diagnostics:
    """Publishes a DiagnosticArray at a steady period, whatever the simulated time does."""

    def __init__(self, node: Node, period: float, sources: Sources) -> None:
        self._node = node
        self._sources = sources
        self._looked = time.monotonic()
        self._before: dict[str, tuple[int, int]] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        node.create_timer(period, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _publish(self) -> None:
        message = DiagnosticArray(status=self.collect(time.monotonic()))
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def collect(self, now: float) -> list[DiagnosticStatus]:
        """Return one status per task; rates and timings are since the call before."""
        elapsed = max(now - self._looked, 1e-6)
        self._looked = now
        pairs = self._sources.pairs.look()
        report = self._sources.synchroniser.report()
        return [
            *(self._input(source, now, elapsed) for source in self._sources.inputs),
            self._synchronisation(report, pairs, now),
            self._engine(pairs),
            self._outputs(pairs, elapsed),
        ]

    def _input(self, source: ImageInput, now: float, elapsed: float) -> DiagnosticStatus:
        received, rejected = self._since_before(source.name, source.received, source.rejected)
        publishers = source.publisher_count()
        if not source.enabled:
            level, message = OK, "disabled by ~/set_enabled"
        elif rejected:
            level = ERROR if rejected == received else WARN
            message = f"images dropped: {source.last_rejection}"
        elif _silent(source.last_arrival, now):
            level = WARN
            message = (
                f"no images though {publishers} publish on {source.topic}: do the QoS profiles match?"
                if publishers
                else f"nobody publishes on {' or '.join(source.topics)}: start the camera or remap the topic"
            )
        else:
            level, message = OK, f"{received / elapsed:.1f} Hz"
        return self._status(
            f"{source.name} input", level, message,
            topic=source.topic, transport=source.active, publishers=publishers, qos=describe(source.qos),
            rate_hz=f"{received / elapsed:.2f}", received=source.received, rejected=source.rejected,
            last_rejection=source.last_rejection,
        )  # fmt: skip

    def _synchronisation(self, report: SyncReport, pairs: PairStatistics, now: float) -> DiagnosticStatus:
        apart = report.stream_difference
        both_arrive = all(
            source.enabled and not _silent(source.last_arrival, now) for source in self._sources.inputs
        )
        level, message = OK, f"{report.visible.paired} pairs"
        if both_arrive and _silent(pairs.last_pair, now):
            level, message = WARN, f"no pair within {self._sources.tolerance_ms:g} ms"
            if apart is not None:
                seconds = abs(apart) / 1e9
                message += f": the newest stamps are {seconds:.3f} s apart: are the clocks synchronised?"
        return self._status(
            "synchronisation", level, message,
            pairs=report.visible.paired, superseded=report.visible.superseded, stamp_jumps=report.resets,
            pair_difference_ms=_milliseconds(pairs.last_difference),
            stream_difference_ms=_milliseconds(apart),
            visible=_counts(report.visible), infrared=_counts(report.infrared),
        )  # fmt: skip

    def _engine(self, pairs: PairStatistics) -> DiagnosticStatus:
        failed, rejected = self._since_before("engine", pairs.failed, pairs.rejected)
        if failed:
            level, message = ERROR, f"failed: {pairs.last_failure}"
        elif rejected:
            level, message = ERROR, f"pairs dropped: {pairs.last_rejection}"
        else:
            level, message = OK, self._sources.engine
        return self._status(
            "engine", level, message,
            engine=self._sources.engine, inference=summary(pairs.inference),
            failed=pairs.failed, last_failure=pairs.last_failure,
            rejected=pairs.rejected, last_rejection=pairs.last_rejection,
        )  # fmt: skip

    def _outputs(self, pairs: PairStatistics, elapsed: float) -> DiagnosticStatus:
        published, _ = self._since_before("published", pairs.published, 0)
        subscribers = self._sources.outputs.subscribers()
        rate = f"{published / elapsed:.1f} Hz"
        message = rate if any(subscribers.values()) else "no subscribers: nothing is computed"
        return self._status(
            "outputs", OK, message,
            rate_hz=f"{published / elapsed:.2f}", latency=summary(pairs.latency), published=pairs.published,
            unwatched=pairs.unwatched, discarded=pairs.discarded,
            subscribers=", ".join(f"{name} {count}" for name, count in subscribers.items()),
        )  # fmt: skip

    def _since_before(self, name: str, first: int, second: int) -> tuple[int, int]:
        before = self._before.get(name, (0, 0))
        self._before[name] = (first, second)
        return first - before[0], second - before[1]

    def _status(self, task: str, level: bytes, message: str, **values: object) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=level,
            name=f"{self._node.get_name()}: {task}",
            message=message,
            hardware_id=self._node.get_fully_qualified_name(),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )


def _silent(last: float | None, now: float) -> bool:
    return last is None or now - last > SILENT_AFTER


def _milliseconds(nanoseconds: int | None) -> str:
    return "unknown" if nanoseconds is None else f"{nanoseconds / 1e6:.3f}"


def _counts(counts: StreamCounts) -> str:
    return ", ".join(f"{name} {value}" for name, value in vars(counts).items())
