"""Plays a recording through psfusion_node again and again, and serves the web page. Time comes from the bag.

ros2 launch psfusion_ros replay.launch.py bag:=drive
ros2 launch psfusion_ros replay.launch.py bag:=drive visible:=front/image_raw infrared:=thermal/image_raw
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

SHARE = Path(get_package_share_directory("psfusion_ros"))

ARGUMENTS = {
    "bag": (None, "rosbag2 folder to play"),
    "bag_rate": ("1.0", "speed of the replay; 1 is as recorded"),
    "bag_loop": ("true", "start the bag again at its end, with stamps that go on"),
    "visible": ("visible/image", "topic of the visible camera's images in the bag, without the first slash"),
    "infrared": ("infrared/image", "topic of the infrared camera's images in the bag, likewise"),
    "use_sim_time": ("true", "take the time from the bag"),
    "view": ("true", "serve a web page with all images on this machine: http://127.0.0.1:8088"),
    "rviz": ("false", "show the inputs, the fused image and the overlay in rviz"),
}
"""The arguments that a recording needs or that have another default here; the others also work."""


def generate_launch_description() -> LaunchDescription:
    declarations = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    fusion = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / "launch" / "psfusion.launch.py")),
        launch_arguments=[(name, LaunchConfiguration(name)) for name in ARGUMENTS],
    )
    return LaunchDescription([*declarations, fusion])
