"""Child processes that are watched, and that end with their parent."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

TAIL_LINES = 20


class ProcessError(RuntimeError):
    """A child process ended early or did not end in time; the message has the end of its log."""


class Processes:
    """Named child processes, each with its own log file; leaving the context ends those that still run."""

    def __init__(self, logs: Path) -> None:
        """Write the logs to this folder, which is created if missing."""
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._children):
            with contextlib.suppress(ProcessError):
                self.stop(name)

    def start(self, name: str, command: Sequence[str], show: bool = False) -> None:
        """Start a child process.

        Args:
            name: A new name, or that of a child that has ended.
            command: Program and arguments.
            show: Send its standard error (progress bars) to the terminal instead of the log.
        """
        with open(self._log(name), "wb") as log:
            errors = None if show else subprocess.STDOUT
            self._children[name] = subprocess.Popen(command, stdout=log, stderr=errors)

    def run(self, name: str, command: Sequence[str]) -> None:
        """Start a child that shows its progress, and wait until it ends; ProcessError as in `ended`."""
        self.start(name, command, show=True)
        self._children[name].wait()
        self.ended(name)

    def ended(self, name: str) -> bool:
        """Tell whether a child has ended with status 0.

        Raises:
            ProcessError: It ended with another status.
        """
        status = self._children[name].poll()
        if status:
            raise ProcessError(self._report(name, f"ended with status {status}"))
        return status == 0

    def check(self, *names: str) -> None:
        """Raise ProcessError if one of these children has ended."""
        for name in names:
            if self.ended(name):
                raise ProcessError(self._report(name, "ended early"))

    def stop(self, name: str, seconds: float = 20.0) -> int:
        """Send SIGINT, wait for so many seconds at most, and return the exit status.

        Raises:
            ProcessError: The child did not end in time and was killed.
        """
        child = self._children.pop(name)
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise ProcessError(self._report(name, f"did not end within {seconds:g} s of SIGINT")) from None

    def _report(self, name: str, what: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n  ".join([f"{name} {what}; the end of {self._log(name)}:", *lines])

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
