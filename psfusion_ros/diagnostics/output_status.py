"""Status of the outputs."""

from __future__ import annotations

import numpy as np

from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.diagnostics.status import CounterChanges, Status, is_too_slow
from psfusion_ros.item_counts import ItemCounts, summary
from psfusion_ros.outputs import Outputs


class OutputTask:
    """Reports rate, latency and subscribers."""

    def __init__(self) -> None:
        self._changes = CounterChanges()

    def status(
        self, outputs: Outputs, counts: ItemCounts, parameters: NodeParameters, elapsed: float
    ) -> Status:
        """Return the status of the `elapsed` seconds since the last call."""
        rate = self._changes.since_last("published", counts.published) / elapsed
        passed = self._changes.since_last("passed", counts.passed)
        subscribers = outputs.subscribers()
        is_watched = any(subscribers.values())
        status = Status(f"{rate:.1f} Hz" if is_watched else "no subscribers: nothing is computed")
        if passed:
            status.warn(f"one camera's images are passed through unfused ({passed / elapsed:.1f} Hz)")
        elif is_watched and is_too_slow(rate, parameters.output_rate, parameters.rate_margin):
            status.warn(f"{rate:.1f} Hz, expected {parameters.output_rate:g} Hz")
        if counts.latency:
            self._judge_latency(status, float(np.percentile(counts.latency, 95)) * 1e3, parameters)
        if outputs.mismatch:
            status.warn(outputs.mismatch)
        status.values = {
            "rate_hz": f"{rate:.2f}",
            "latency": summary(counts.latency),
            "published": counts.published,
            "passed": counts.passed,
            "unwatched": counts.unwatched,
            "discarded": counts.discarded,
            "subscribers": ", ".join(f"{name} {count}" for name, count in subscribers.items()),
        }
        return status

    def _judge_latency(self, status: Status, latency_ms: float, parameters: NodeParameters) -> None:
        for limit, report in (
            (parameters.latency_error_ms, status.error),
            (parameters.latency_warning_ms, status.warn),
        ):
            if 0 < limit <= latency_ms:
                report(
                    f"latency of {latency_ms:.0f} ms, {limit:g} ms are allowed: use a faster engine or size"
                )
                return
