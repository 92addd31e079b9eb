"""The checks that need no ROS, in order."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from psfusion_core.doctor.cache_folder import check_cache
from psfusion_core.doctor.check import Check, Finding, Subject, run_check
from psfusion_core.doctor.dds_shared_memory import check_segment, check_space, check_stale_segments
from psfusion_core.doctor.dds_socket_buffers import check_socket_buffers
from psfusion_core.doctor.engine_checks import check_network, check_onnxruntime, check_tensorrt, check_torch
from psfusion_core.doctor.python_packages import check_libraries, check_python
from psfusion_core.doctor.ros_installation import check_ros

MACHINE_CHECKS: list[tuple[str, Check]] = [
    ("python", check_python),
    ("libraries", check_libraries),
    ("torch", check_torch),
    ("onnxruntime", check_onnxruntime),
    ("tensorrt", check_tensorrt),
    ("network", check_network),
    ("cache", check_cache),
    ("ros", check_ros),
]

TRANSPORT_CHECKS: list[tuple[str, Check]] = [
    ("shared memory segment", check_segment),
    ("shared memory space", check_space),
    ("stale segments", check_stale_segments),
    ("socket buffers", check_socket_buffers),
]
"""Checks of how images travel between ROS processes. They run last, when the size of the images is known."""


def run_checks(checks: list[tuple[str, Check]], subject: Subject) -> Iterator[tuple[str, Finding]]:
    """Run checks one by one, and yield the name and the finding of each."""
    for name, check in checks:
        yield name, run_check(check, subject)


def skip(checks: list[tuple[str, Check]], reason: str) -> Iterator[tuple[str, Finding]]:
    """Yield each check as skipped, with the reason."""
    for name, _ in checks:
        yield name, Finding("skipped", reason)


def has_ros() -> bool:
    return find_spec("rclpy") is not None
