"""Checks whether ROS starts. It runs in a child process, because rcl ends the process if that fails."""

from __future__ import annotations

import rclpy
from rclpy.context import Context
from rclpy.utilities import get_rmw_implementation_identifier


def start_ros() -> dict[str, str]:
    """Create a node, and return the name of the middleware."""
    context = Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node("psfusion_doctor_start", context=context, use_global_arguments=False)
    node.destroy_node()
    context.try_shutdown()
    return {"middleware": get_rmw_implementation_identifier()}
