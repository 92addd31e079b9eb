"""Bags from elsewhere: what they name outside their folder is not opened; without rosbags none is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from node_process import with_checkout
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo

from psfusion_core.bags.bag_reader import BagError
from psfusion_ros.replay.recordings import BagRecording

WITHOUT_ROSBAGS = """
import sys
sys.modules["rosbags"] = None  # importing it fails as if it were not installed
from psfusion_ros.{package} import main
sys.exit(main())
"""


def write_bag(path: Path) -> None:
    with Writer(path, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        store = get_typestore(Stores.ROS2_HUMBLE)
        info = writer.add_connection("/visible/camera_info", "sensor_msgs/msg/CameraInfo", typestore=store)
        writer.write(info, 1, serialize_message(CameraInfo(width=640, height=480)))


@pytest.mark.parametrize("absolute", [True, False])
def test_a_bag_that_names_a_file_outside_its_folder_is_refused(tmp_path: Path, absolute: bool) -> None:
    write_bag(tmp_path / "bag")
    assert BagRecording(tmp_path / "bag").counts == {"visible/camera_info": 1}
    metadata_file = tmp_path / "bag" / "metadata.yaml"
    metadata = yaml.safe_load(metadata_file.read_text())
    paths = metadata["rosbag2_bagfile_information"]["relative_file_paths"]
    paths[0] = f"{tmp_path / 'bag'}/{paths[0]}" if absolute else f"../{paths[0]}"
    metadata_file.write_text(yaml.safe_dump(metadata))

    with pytest.raises(BagError, match=r"\Aexpected [^\n]* files inside the bag in [^\n]+, got [^\n]+\Z"):
        BagRecording(tmp_path / "bag")


@pytest.mark.parametrize(
    ("package", "arguments"), [("replay", ["bag"]), ("record", ["--output", "recorded"])]
)
def test_without_rosbags_replay_and_recorder_say_in_one_line_what_to_install(
    ros_environment: dict[str, str], tmp_path: Path, package: str, arguments: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROSBAGS.format(package=package), *arguments],
        env=with_checkout(ros_environment), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{package}: ")
    assert "pip install '.[bag]'" in line
