"""Checks that this Python can use ROS 2. This process imports nothing from ROS."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec
from pathlib import Path

from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.doctor.child import ChildError, ask_child

DISTRIBUTIONS = ("humble", "jazzy", "kilted")
"""Distributions that the node supports."""

INSTALLATIONS = Path("/opt/ros")

TESTED_MIDDLEWARE = "rmw_fastrtps_cpp"
START = "psfusion_ros.doctor.start:start_ros"
"""Function that imports rclpy. It runs in a child, because rclpy ends its process if it finds no RMW."""


def check_ros(subject: Subject) -> Finding:
    """Check that rclpy is found, and that the node supports the distribution."""
    distribution = subject.environment.get("ROS_DISTRO", "")
    if find_spec("rclpy") is None:
        return _without_rclpy(distribution)
    if distribution and distribution not in DISTRIBUTIONS:
        return Finding(
            "warning", f"{distribution}: the node supports {', '.join(DISTRIBUTIONS)}",
            "source one of these if something fails",
        )  # fmt: skip
    return Finding("ok", distribution or "rclpy is found, ROS_DISTRO is not set (ROS from Python wheels)")


def check_start(subject: Subject) -> Finding:
    """Check that a node can be created, and with which middleware."""
    try:
        middleware = ask_child(START)["middleware"]
    except ChildError as error:
        return Finding(
            "error",
            f"no node can be created: {error}",
            "source only one ROS 2, and check that RMW_IMPLEMENTATION names an installed middleware",
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
