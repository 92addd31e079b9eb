"""The error message of an executable that is started without ROS 2. This module imports nothing of ROS."""

from __future__ import annotations

import sys

from psfusion_core.base.wording import one_line

REMEDY = (
    "source a ROS 2 installation (source /opt/ros/DISTRO/setup.bash), or pip install '.[ros-wheels]'; "
    "psfusion doctor has details"
)


def explain_missing_ros(program: str, error: ImportError) -> int:
    """Print which package of ROS 2 is missing and how to get it; return the exit status, 2.

    Args:
        program: Name of the executable.
        error: The error raised by the import of a module that needs ROS.

    Raises:
        ImportError: `error` itself, if the missing package is not one of ROS.
    """
    package = (error.name or "").partition(".")[0]
    if package != "rclpy" and not package.endswith(("_interfaces", "_msgs", "_srvs")):
        raise error
    print(f"{program}: {one_line(error)}: {REMEDY}", file=sys.stderr)
    return 2
