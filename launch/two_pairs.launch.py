"""An example of several camera pairs: a node each for a pair in front and one behind, in their namespaces.

The cameras are heard on /front/visible/image, /front/infrared/image, /rear/visible/image and
/rear/infrared/image; the fused images come on /front/fused/image and /rear/fused/image.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

FUSION = Path(get_package_share_directory("psfusion_ros")) / "launch" / "psfusion.launch.py"

PAIRS = {
    "front": {"view_port": "8088"},
    "rear": {"view_port": "8089"},
}
"""Namespace of each pair, and other arguments of psfusion.launch.py for it: `registration`, `device` ..."""


def generate_launch_description() -> LaunchDescription:
    view = DeclareLaunchArgument("view", default_value="false", description="serve a web page for each pair")
    pairs = [
        # A group of its own, so that what is set for one pair does not reach the next.
        GroupAction(
            [
                IncludeLaunchDescription(
                    PythonLaunchDescriptionSource(str(FUSION)),
                    launch_arguments={
                        "namespace": name,
                        "view": LaunchConfiguration("view"),
                        **arguments,
                    }.items(),
                )
            ]
        )
        for name, arguments in PAIRS.items()
    ]
    return LaunchDescription([view, *pairs])
