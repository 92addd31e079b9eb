"""Status of one camera's images."""

from __future__ import annotations

from psfusion_core.cameras.clock_watch import ClockWatch
from psfusion_ros.diagnostics.status import Since, Status, milliseconds, too_slow
from psfusion_ros.image_input import ImageInput
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.qos import describe


class InputTask:
    """Rate, refusals, stamps and QoS of one camera."""

    def __init__(self) -> None:
        self._since = Since()

    def look(self, source: ImageInput, parameters: Parameters, now: float, elapsed: float) -> Status:
        """Look at an input.

        Args:
            source: the input.
            parameters: with the thresholds.
            now: seconds of `time.monotonic`.
            elapsed: seconds since the look before.
        """
        received = self._since("received", source.received)
        rejected = self._since("rejected", source.rejected)
        lost = self._since("lost", source.subscription.lost)
        rate = received / elapsed
        status = Status(f"{rate:.1f} Hz" if source.enabled else "disabled by ~/set_enabled")
        if source.enabled:
            self._judge(status, source, parameters, now, rate, received, rejected, lost)
        status.values = {
            "topic": source.subscription.topic,
            "transport": source.subscription.active,
            "publishers": source.subscription.publisher_count(),
            "qos": describe(source.subscription.qos),
            "rate_hz": f"{rate:.2f}",
            "received": source.received,
            "rejected": source.rejected,
            "last_rejection": source.last_rejection,
            "lost_by_middleware": source.subscription.lost,
            **_stamp_values(source.clock),
        }
        return status

    def _judge(
        self,
        status: Status,
        source: ImageInput,
        parameters: Parameters,
        now: float,
        rate: float,
        received: int,
        rejected: int,
        lost: int,
    ) -> None:
        expected = parameters.visible_rate if source.name == "visible" else parameters.infrared_rate
        if source.silence(now) > parameters.missing_timeout:
            status.error(source.trouble())
        elif rejected:
            found = f"images dropped: {source.last_rejection}"
            status.error(found) if rejected == received else status.warn(found)
        elif too_slow(rate, expected, parameters.rate_margin):
            status.warn(f"{rate:.1f} Hz, expected {expected:g} Hz")
        if source.subscription.mismatch and source.subscription.mismatch not in status.message:
            status.error(source.subscription.mismatch)
        if lost:
            status.warn(f"{lost} images lost by the middleware: give both sides config/fastdds.xml")
        verdict = source.clock.verdict()
        if verdict is not None:
            status.warn(verdict)


def _stamp_values(clock: ClockWatch) -> dict[str, object]:
    return {
        "stamp_delay_ms": milliseconds(clock.delay_ns),
        "stamp_jitter_ms": milliseconds(clock.jitter_ns),
        "stamp_rate_hz": "unknown" if clock.rate_hz is None else f"{clock.rate_hz:.2f}",
        "stamps_zero": clock.zero_stamps,
        "stamps_repeated": clock.repeated,
        "stamps_backwards": clock.backwards,
        "stamps_jumped": clock.jumps,
    }
