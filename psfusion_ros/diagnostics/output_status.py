"""Status of what is published."""

from __future__ import annotations

import numpy as np

from psfusion_ros.diagnostics.status import Since, Status, too_slow
from psfusion_ros.item_counts import ItemStatistics, summary
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.outputs import Outputs


class OutputTask:
    """Rate, latency and subscribers."""

    def __init__(self) -> None:
        self._since = Since()

    def look(self, outputs: Outputs, items: ItemStatistics, parameters: Parameters, elapsed: float) -> Status:
        """Look at the outputs; `elapsed` is in seconds since the look before."""
        rate = self._since("published", items.published) / elapsed
        passed = self._since("passed", items.passed)
        subscribers = outputs.subscribers()
        is_watched = any(subscribers.values())
        status = Status(f"{rate:.1f} Hz" if is_watched else "no subscribers: nothing is computed")
        if passed:
            status.warn(f"one camera's images are passed through unfused ({passed / elapsed:.1f} Hz)")
        elif is_watched and too_slow(rate, parameters.output_rate, parameters.rate_margin):
            status.warn(f"{rate:.1f} Hz, expected {parameters.output_rate:g} Hz")
        if items.latency:
            self._judge_latency(status, float(np.percentile(items.latency, 95)) * 1e3, parameters)
        if outputs.mismatch:
            status.warn(outputs.mismatch)
        status.values = {
            "rate_hz": f"{rate:.2f}",
            "latency": summary(items.latency),
            "published": items.published,
            "passed": items.passed,
            "unwatched": items.unwatched,
            "discarded": items.discarded,
            "subscribers": ", ".join(f"{name} {count}" for name, count in subscribers.items()),
        }
        return status

    def _judge_latency(self, status: Status, latency_ms: float, parameters: Parameters) -> None:
        for limit, find in (
            (parameters.latency_error_ms, status.error),
            (parameters.latency_warning_ms, status.warn),
        ):
            if 0 < limit <= latency_ms:
                find(f"latency of {latency_ms:.0f} ms, {limit:g} ms are allowed: use a faster engine or size")
                return
