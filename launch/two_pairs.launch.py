"""An example for several camera pairs: one node for a front pair and one for a rear pair.

The nodes subscribe to /front/visible/image, /front/infrared/image, /rear/visible/image and
/rear/infrared/image, and publish the fused images on /front/fused/image and /rear/fused/image.
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
"""The namespace of each pair, and its arguments for psfusion.launch.py, such as `device`."""


def generate_launch_description() -> LaunchDescription:
    view = DeclareLaunchArgument("view", default_value="false", description="serve a web page for each pair")
    pairs = [
        # Each pair has its own group, so that its settings do not affect the next pair.
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
