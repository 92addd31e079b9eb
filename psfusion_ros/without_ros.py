"""What an executable says where there is no ROS 2 to run with. Nothing of ROS is imported here."""

from __future__ import annotations

import sys

from psfusion_core.base.wording import one_line

REMEDY = (
    "source a ROS 2 installation (source /opt/ros/DISTRO/setup.bash), or pip install '.[ros-wheels]'; "
    "psfusion doctor says more"
)


def explain_missing_ros(program: str, error: ImportError) -> int:
    """Say in one line what of ROS 2 is missing and how to get it; return the exit status, 2.

    Args:
        program: name of the executable.
        error: raised by importing what needs ROS.

    Raises:
        ImportError: `error` itself, where it is not about a package of ROS.
    """
    package = (error.name or "").partition(".")[0]
    if package != "rclpy" and not package.endswith(("_interfaces", "_msgs", "_srvs")):
        raise error
    print(f"{program}: {one_line(error)}: {REMEDY}", file=sys.stderr)
    return 2
