"""The node loads no module of tasks that a robot never runs; the viewer and the recorder load no PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from node_process import PATIENCE, ROOT, with_checkout

SHARED = {"base", "cameras", "registration", "models", "engines", "fusion"}
"""Packages of psfusion_core that the node may load."""

FUSE_ONE_PAIR = """
import sys

import rclpy
from harness import random_pair
from sensor_msgs.msg import Image

from psfusion_ros.node import PsfusionNode

rclpy.init()
node = PsfusionNode()
node.autostart()
cameras = [node.create_publisher(Image, topic, 5) for topic in ("visible/image", "infrared/image")]
fused = []
node.create_subscription(Image, "fused/image", fused.append, 5)
number = 0
while not fused:
    number += 1
    for camera, image in zip(cameras, random_pair(number)):
        camera.publish(image)
    rclpy.spin_once(node, timeout_sec=0.1)
node.stop()
print(*sys.modules, sep="\\n")
"""


@pytest.mark.usefixtures("exported_network")
def test_a_node_that_fused_a_pair_with_the_real_network_loaded_only_what_a_robot_needs(
    session_environment: dict[str, str],
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", FUSE_ONE_PAIR],
        env=with_checkout(session_environment, Path(__file__).parent),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert finished.returncode == 0, finished.stderr
    loaded = set(finished.stdout.split())
    assert {"psfusion_core.fusion.fuser", "psfusion_ros.processor"} <= loaded
    packages = {name.split(".")[1] for name in loaded if name.startswith("psfusion_core.")}
    assert packages <= SHARED


@pytest.mark.parametrize(
    "module",
    [
        "psfusion_ros.view.server",
        "psfusion_ros.record.recorder",
        "psfusion_ros.demo.run",
        "psfusion_ros.node",
    ],
)
def test_what_has_no_network_or_none_yet_loads_no_pytorch(
    session_environment: dict[str, str], module: str
) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        env=with_checkout(session_environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert finished.returncode == 0, finished.stderr
    assert "torch" not in finished.stdout.split()
