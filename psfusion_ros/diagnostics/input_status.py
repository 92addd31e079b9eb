"""Status of one camera's images."""

from __future__ import annotations

from psfusion_core.cameras.clock_watch import ClockWatch
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.diagnostics.status import CounterChanges, Status, is_too_slow, milliseconds
from psfusion_ros.image_input import ImageInput
from psfusion_ros.qos import describe


class InputTask:
    """Reports rate, rejected images, stamps and QoS of one camera."""

    def __init__(self) -> None:
        self._changes = CounterChanges()

    def status(
        self, image_input: ImageInput, parameters: NodeParameters, now: float, elapsed: float
    ) -> Status:
        """Return the status since the last call.

        Args:
            image_input: The camera's input.
            parameters: The node's parameters, with the limits.
            now: Seconds of `time.monotonic`.
            elapsed: Seconds since the last call.
        """
        received = self._changes.since_last("received", image_input.received)
        rejected = self._changes.since_last("rejected", image_input.rejected)
        lost = self._changes.since_last("lost", image_input.subscription.lost)
        rate = received / elapsed
        status = Status(f"{rate:.1f} Hz" if image_input.enabled else "disabled by ~/set_enabled")
        if image_input.enabled:
            self._judge(status, image_input, parameters, now, rate, received, rejected, lost)
        status.values = {
            "topic": image_input.subscription.topic,
            "transport": image_input.subscription.active,
            "publishers": image_input.subscription.publisher_count(),
            "qos": describe(image_input.subscription.qos),
            "rate_hz": f"{rate:.2f}",
            "received": image_input.received,
            "rejected": image_input.rejected,
            "last_rejection": image_input.last_rejection,
            "lost_by_middleware": image_input.subscription.lost,
            **_stamp_values(image_input.clock),
        }
        return status

    def _judge(
        self,
        status: Status,
        image_input: ImageInput,
        parameters: NodeParameters,
        now: float,
        rate: float,
        received: int,
        rejected: int,
        lost: int,
    ) -> None:
        expected = parameters.visible_rate if image_input.name == "visible" else parameters.infrared_rate
        if image_input.silence(now) > parameters.missing_timeout:
            status.error(image_input.problem())
        elif rejected:
            problem = f"images dropped: {image_input.last_rejection}"
            status.error(problem) if rejected == received else status.warn(problem)
        elif is_too_slow(rate, expected, parameters.rate_margin):
            status.warn(f"{rate:.1f} Hz, expected {expected:g} Hz")
        if image_input.subscription.mismatch and image_input.subscription.mismatch not in status.message:
            status.error(image_input.subscription.mismatch)
        if lost:
            status.warn(f"{lost} images lost by the middleware: give both sides config/fastdds.xml")
        verdict = image_input.clock.verdict()
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
