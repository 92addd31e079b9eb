"""One diagnostic status: a level, a message with all problems, and values."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Status:
    """Collects problems; without any, the level is OK and the message is the one given at the start.

    Attributes:
        level: The level of the worst problem.
        values: Figures to show with the message.
    """

    def __init__(self, ok_message: str) -> None:
        self.level: bytes = OK
        self.values: dict[str, object] = {}
        self._ok_message = ok_message
        self._problems: list[str] = []

    @property
    def message(self) -> str:
        return "; ".join(self._problems) or self._ok_message

    def warn(self, problem: str) -> None:
        self._add(WARN, problem)

    def error(self, problem: str) -> None:
        self._add(ERROR, problem)

    def _add(self, level: bytes, problem: str) -> None:
        if level > self.level:
            self._problems.insert(0, problem)  # the worst problem comes first
        else:
            self._problems.append(problem)
        self.level = max(self.level, level)


class CounterChanges:
    """By how much counters have grown since they were last read."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}

    def since_last(self, name: str, count: int) -> int:
        """Return by how much a counter has grown since the last call with its name."""
        before, self._before[name] = self._before.get(name, 0), count
        return count - before if count >= before else count


def milliseconds(nanoseconds: float | None) -> str:
    return "unknown" if nanoseconds is None else f"{nanoseconds / 1e6:.3f}"


def is_too_slow(rate: float, expected: float, margin: float) -> bool:
    """Tell whether a rate is below the expected one by more than a share; 0 expects nothing."""
    return rate < expected * (1.0 - margin)
