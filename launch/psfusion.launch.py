"""Starts psfusion_node and, on request, rviz, the web page and the replay of a bag.

ros2 launch psfusion_ros psfusion.launch.py visible:=/front/image_raw infrared:=/thermal/image_raw view:=true
ros2 launch psfusion_ros psfusion.launch.py bag:=drive use_sim_time:=true rviz:=true

The node configures and activates itself, and it is restarted if it dies.
"""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from psfusion_core.doctor import fastdds_profile

CONFIG = Path(get_package_share_directory("psfusion_ros")) / "config"

PROFILE_VARIABLE = fastdds_profile.variable(os.environ)

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
    "respawn": ("true", "restart the node if it dies"),
    "dds_profile": (
        os.environ.get(PROFILE_VARIABLE, str(CONFIG / "fastdds.xml")),
        "Fast DDS profile with room for images in shared memory; give it to the camera drivers too",
    ),
    "rviz": ("false", "show the inputs, the fused image and the overlay in rviz"),
    "view": ("false", "serve a web page with all images on this machine: http://127.0.0.1:VIEW_PORT"),
    "view_port": ("8088", "port of that page"),
    "bag": ("", "rosbag2 folder to play; empty: none, the cameras are live"),
    "bag_rate": ("1.0", "speed of the replay; 1 is as recorded"),
    "bag_loop": ("false", "start the bag again at its end, with stamps that go on"),
    "use_sim_time": ("false", "take the time from /clock, which the bag's replay then publishes"),
}


def is_true(text: str) -> bool:
    return text.lower() in ("true", "1")


def create_nodes(context: LaunchContext) -> list[Node]:
    """Return the nodes to start for the values of the launch arguments."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    simulated = is_true(value["use_sim_time"])
    chosen = {name: value[name] for name in ("model", "device") if value[name]}
    files = [value[name] for name in ("params_file", "registration") if value[name]]
    autostart = is_true(value["autostart"])
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
            respawn=is_true(value["respawn"]),
            respawn_delay=2.0,
            output="screen",
        ),
        Node(
            package="rviz2",
            executable="rviz2",
            namespace=value["namespace"],
            arguments=["-d", str(CONFIG / "psfusion.rviz")],
            parameters=[{"use_sim_time": simulated}],
            # The configuration of rviz has absolute names; the relative names follow the namespace.
            remappings=[
                ("/visible/image", value["visible"]),
                ("/infrared/image", value["infrared"]),
                ("/fused/image", "fused/image"),
                ("/semantic/overlay", "semantic/overlay"),
            ],
            condition=IfCondition(value["rviz"]),
        ),
        Node(
            package="psfusion_ros",
            executable="view",
            namespace=value["namespace"],
            arguments=["--port", value["view_port"]],
            parameters=[{"use_sim_time": simulated}],
            remappings=list(inputs.items()),
            condition=IfCondition(value["view"]),
            output="screen",
        ),
    ]
    if value["bag"]:
        flags = [*(["--clock"] if simulated else []), *(["--loop"] if is_true(value["bag_loop"]) else [])]
        nodes.append(
            Node(
                package="psfusion_ros",
                executable="replay",
                namespace=value["namespace"],
                # Loading the network may take a while, so the replay waits for the node to subscribe.
                arguments=[value["bag"], "--rate", value["bag_rate"], "--wait-for-subscribers", "60", *flags],
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
