"""The executable `view` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys

from node_process import PATIENCE, ROOT, with_checkout


class View:
    """The executable, as a process."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "psfusion_ros.view", *arguments],
            env=with_checkout(environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def address(self) -> str:
        """Wait until it serves, and return where: host and port."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split("http://")[1].strip()

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
