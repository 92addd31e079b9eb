"""Whether there is a ROS 2 that this Python can use; nothing of it is imported here."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec
from pathlib import Path

from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.doctor.child import ChildError, ask_child

DISTRIBUTIONS = ("humble", "jazzy", "kilted")
"""That the node is written for."""

INSTALLATIONS = Path("/opt/ros")

TESTED_MIDDLEWARE = "rmw_fastrtps_cpp"
START = "psfusion_ros.doctor.start:start_ros"
"""Imports rclpy, which ends its process where the middleware does not load."""


def check_ros(subject: Subject) -> Finding:
    """Look for rclpy, and at the distribution."""
    distribution = subject.environment.get("ROS_DISTRO", "")
    if find_spec("rclpy") is None:
        return _without_rclpy(distribution)
    if distribution and distribution not in DISTRIBUTIONS:
        return Finding(
            "warning", f"{distribution}: the node is written for {', '.join(DISTRIBUTIONS)}",
            "source one of these if something fails",
        )  # fmt: skip
    return Finding("ok", distribution or "rclpy is there, ROS_DISTRO is not set (ROS from Python wheels)")


def check_start(subject: Subject) -> Finding:
    """Look whether a node can be made, and with which middleware."""
    try:
        middleware = ask_child(START)["middleware"]
    except ChildError as error:
        return Finding(
            "error",
            f"no node can be made: {error}",
            "source one ROS 2 only, and see whether RMW_IMPLEMENTATION names a middleware that is installed",
        )
    found = f"{middleware}, domain {subject.environment.get('ROS_DOMAIN_ID', '0')}"
    if middleware != TESTED_MIDDLEWARE:
        found += f"; the node is tested with {TESTED_MIDDLEWARE} only"
    return Finding("ok", found)


def _without_rclpy(distribution: str) -> Finding:
    if distribution:
        return Finding(
            "error",
            f"{distribution} is sourced, but {sys.executable} ({platform.python_version()}) finds no rclpy",
            "use the Python that ROS was built for (/usr/bin/python3, or a venv with --system-site-packages)",
        )
    found = sorted(path.parent.name for path in INSTALLATIONS.glob("*/setup.bash"))
    if found:
        fix = f"source {INSTALLATIONS / found[-1]}/setup.bash"
        return Finding("warning", f"ROS 2 {found[-1]} is installed but not sourced", fix)
    return Finding("skipped", "there is no ROS 2 here; psfusion fuse and Fuser do not need it")
