"""Every test has ROS for itself: loopback only, a domain that nobody uses, logs in a temporary folder."""

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


@pytest.fixture
def ros_environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment for the ROS processes of one test."""
    from psfusion_ros.loopback.environment import loopback_environment

    return loopback_environment(tmp_path)


@pytest.fixture(scope="session")
def session_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return one environment for the whole session, which this process has as well, with ROS initialised."""
    import rclpy

    from psfusion_ros.loopback.environment import loopback_environment

    before = dict(os.environ)
    environment = loopback_environment(tmp_path_factory.mktemp("ros"))
    os.environ.update(environment)
    rclpy.init()
    yield environment
    rclpy.try_shutdown()
    os.environ.clear()
    os.environ.update(before)
