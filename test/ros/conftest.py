"""Every session has ROS for itself: loopback only, its own domain, logs in temporary folders."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if importlib.util.find_spec("rclpy") is None:
    collect_ignore_glob = ["test_*.py"]

    def pytest_report_header() -> str:
        return "test/ros left out: needs ROS 2, from apt or from the wheels (extra ros-wheels)"


@pytest.fixture(scope="session")
def loopback(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of the ROS processes of this session, whose domain no other session uses."""
    from psfusion_ros.loopback import environment

    with pytest.MonkeyPatch.context() as patch:  # the processes of this run share the machine's shared memory
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        patch.setattr(environment, "PROCESSES", environment.PROCESSES * workers)
        return environment.loopback_environment(tmp_path_factory.mktemp("ros"))


@pytest.fixture
def ros_environment(loopback: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return the environment for the ROS processes of one test, which log into its own folder."""
    return {**loopback, "ROS_LOG_DIR": str(tmp_path / "ros_log")}


@pytest.fixture(scope="session")
def session_environment(loopback: dict[str, str]) -> Iterator[dict[str, str]]:
    """Return the environment of the session, which this process has as well, with ROS initialised."""
    import rclpy

    before = dict(os.environ)
    os.environ.update(loopback)
    rclpy.init()
    yield loopback
    rclpy.try_shutdown()
    os.environ.clear()
    os.environ.update(before)
