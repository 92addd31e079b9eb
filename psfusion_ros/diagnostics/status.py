"""One status: what is wrong, the worst of it as the level, and values to look at."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Status:
    """Collects findings; without any, the status is OK and says what it was made with."""

    def __init__(self, fine: str) -> None:
        self.level: bytes = OK
        self.values: dict[str, object] = {}
        self._fine = fine
        self._findings: list[str] = []

    @property
    def message(self) -> str:
        return "; ".join(self._findings) or self._fine

    def warn(self, finding: str) -> None:
        self._find(WARN, finding)

    def error(self, finding: str) -> None:
        self._find(ERROR, finding)

    def _find(self, level: bytes, finding: str) -> None:
        if level > self.level:
            self._findings.insert(0, finding)  # the worst is read first
        else:
            self._findings.append(finding)
        self.level = max(self.level, level)


class Since:
    """Differences of counters from one look to the next."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}

    def __call__(self, name: str, count: int) -> int:
        """Return by how much a counter has grown since it was asked for last."""
        before, self._before[name] = self._before.get(name, 0), count
        return count - before if count >= before else count


def milliseconds(nanoseconds: float | None) -> str:
    return "unknown" if nanoseconds is None else f"{nanoseconds / 1e6:.3f}"


def too_slow(rate: float, expected: float, margin: float) -> bool:
    """Tell whether a rate is below the expected one by more than a share; an expected 0 is any rate."""
    return rate < expected * (1.0 - margin)
