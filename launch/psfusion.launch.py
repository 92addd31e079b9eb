"""Start psfusion_node, and on request rviz and the replay of a bag.

ros2 launch psfusion_ros psfusion.launch.py visible:=/front/image_raw infrared:=/thermal/image_raw
ros2 launch psfusion_ros psfusion.launch.py bag:=drive use_sim_time:=true rviz:=true

The node configures and activates itself, and is started again if it dies.
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONFIG = Path(get_package_share_directory("psfusion_ros")) / "config"

# Fast DDS of Humble and Jazzy reads the older name; later ones warn about it.
OLD_NAME = os.environ.get("ROS_DISTRO") in ("humble", "jazzy")
PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE" if OLD_NAME else "FASTDDS_DEFAULT_PROFILES_FILE"

ARGUMENTS = {
    "visible": ("visible/image", "topic of the visible camera's images"),
    "infrared": ("infrared/image", "topic of the infrared camera's images"),
    "visible_info": ("visible/camera_info", "topic of the visible camera's calibration"),
    "infrared_info": ("infrared/camera_info", "topic of the infrared camera's calibration"),
    "namespace": ("", "namespace of all nodes and of relative topics"),
    "model": ("", "psfusion_lite or psfusion; empty: as in params_file"),
    "device": ("", "auto, cpu, cuda or cuda:N; empty: as in params_file"),
    "params_file": (str(CONFIG / "psfusion.yaml"), "parameters of the node"),
    "registration": ("", "file that psfusion calibrate wrote; empty: as in params_file"),
    "autostart": ("true", "false leaves configuring and activating to a lifecycle manager"),
    "respawn": ("true", "start the node again when it dies"),
    "dds_profile": (
        os.environ.get(PROFILE_VARIABLE, str(CONFIG / "fastdds.xml")),
        "Fast DDS profile with room for images in shared memory; give it to the camera drivers too",
    ),
    "rviz": ("false", "show the inputs, the fused image and the overlay in rviz"),
    "bag": ("", "rosbag2 folder to play; empty: none, the cameras are live"),
    "use_sim_time": ("false", "take the time from /clock, which the bag's replay then publishes"),
}


def create_nodes(context: LaunchContext) -> list[Node]:
    """Make the nodes from the values of the arguments."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    simulated = value["use_sim_time"].lower() in ("true", "1")
    chosen = {name: value[name] for name in ("model", "device") if value[name]}
    files = [value[name] for name in ("params_file", "registration") if value[name]]
    autostart = value["autostart"].lower() in ("true", "1")
    inputs = {
        "visible/image": value["visible"],
        "infrared/image": value["infrared"],
        "visible/camera_info": value["visible_info"],
        "infrared/camera_info": value["infrared_info"],
    }
    nodes = [
        Node(
            package="psfusion_ros",
            executable="psfusion_node",
            namespace=value["namespace"],
            parameters=[*files, {"use_sim_time": simulated, "autostart": autostart, **chosen}],
            remappings=list(inputs.items()),
            respawn=value["respawn"].lower() in ("true", "1"),
            respawn_delay=2.0,
            output="screen",
        ),
        Node(
            package="rviz2",
            executable="rviz2",
            namespace=value["namespace"],
            arguments=["-d", str(CONFIG / "psfusion.rviz")],
            parameters=[{"use_sim_time": simulated}],
            # The configuration has absolute names; relative ones on the right follow the namespace.
            remappings=[
                ("/visible/image", value["visible"]),
                ("/infrared/image", value["infrared"]),
                ("/fused/image", "fused/image"),
                ("/semantic/overlay", "semantic/overlay"),
            ],
            condition=IfCondition(value["rviz"]),
        ),
    ]
    if value["bag"]:
        clock = ["--clock"] if simulated else []
        nodes.append(
            Node(
                package="psfusion_ros",
                executable="replay",
                namespace=value["namespace"],
                # The network may take a while to load; nothing is played before the node listens.
                arguments=[value["bag"], "--wait-for-subscribers", "60", *clock],
                output="screen",
            )
        )
    return nodes


def generate_launch_description() -> LaunchDescription:
    declarations = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    profile = SetEnvironmentVariable(PROFILE_VARIABLE, LaunchConfiguration("dds_profile"))
    return LaunchDescription([*declarations, profile, OpaqueFunction(function=create_nodes)])
