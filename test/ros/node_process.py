"""Processes of the tests: `psfusion_node`, the real one or a stub, and the environment they need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
REAL_NODE = [sys.executable, "-m", "psfusion_ros"]
STUB_NODE = [sys.executable, str(Path(__file__).with_name("stub_node.py"))]
PATIENCE = 120.0
"""Seconds until a test gives up; nothing is measured with it."""


def with_checkout(environment: Mapping[str, str], *folders: Path) -> dict[str, str]:
    """Let Python find folders and this checkout before anything else, an apt ROS on PYTHONPATH after them."""
    paths = [*map(str, folders), str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


class NodeProcess:
    """psfusion_node, as a process."""

    def __init__(
        self, command: list[str], environment: dict[str, str], *parameters: str, arguments: Sequence[str] = ()
    ) -> None:
        words = [word for parameter in parameters for word in ("-p", parameter)]
        self.process = subprocess.Popen(
            [*command, "--ros-args", *arguments, *words],
            env=with_checkout(environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log: list[str] = []
        self._logged = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_started(self) -> str:
        """Wait for the one line that the node logs when it is ready, and return it."""
        return self.wait_for_log("in: /")

    def wait_for_log(self, words: str, after: int = 0) -> str:
        """Wait for a line with these words after so many lines of the log, and return it."""

        def found() -> str:
            return next((line for line in self.log[after:] if words in line), "")

        with self._logged:
            self._logged.wait_for(lambda: found() or self.process.poll() is not None, PATIENCE)
        assert found(), f"expected {words!r} in the node's log, got: {''.join(self.log)}"
        return found()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self._reader.join()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._logged:
                self.log.append(line)
                self._logged.notify_all()
        self.process.wait()
        with self._logged:
            self._logged.notify_all()

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        if kind is not None:
            print("".join(self.log))
