"""ROS 1 bags give what the same frames in a rosbag2 give."""

from __future__ import annotations

from pathlib import Path

from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from small_bags import START, fuse, messages, read_all, write_bag

from psfusion_core.bags.bag_reader import Bag


def write_ros1(path: Path, count: int) -> Path:
    """Write the drive of small_bags, a topic of the bag's own type, and one that ROS 2 has otherwise."""
    types, ours = get_typestore(Stores.ROS1_NOETIC), get_typestore(Stores.ROS2_HUMBLE)
    types.register(get_types_from_msg("uint8 level\nstring name\n", "robot_msgs/msg/Battery"))
    with Writer(path) as writer:
        connections = {}
        for name, kind, time, data in messages(count):
            if name not in connections:
                connections[name] = writer.add_connection(name, kind, typestore=types)
            message = ours.deserialize_cdr(data, kind)
            seconds, nanoseconds = message.header.stamp.sec, message.header.stamp.nanosec
            stamp = types.types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
            header = types.types["std_msgs/msg/Header"](seq=7, stamp=stamp, frame_id=message.header.frame_id)
            fields = {key: value for key, value in vars(message).items() if key != "header"}
            if "k" in fields:
                fields = {key.upper() if key in "dkrp" else key: value for key, value in fields.items()}
            old = types.types[kind](header=header, **fields)
            writer.write(connections[name], time, types.serialize_ros1(old, kind))
        own = writer.add_connection("/battery", "robot_msgs/msg/Battery", typestore=types)
        battery = types.types["robot_msgs/msg/Battery"](level=80, name="b")
        writer.write(own, START, types.serialize_ros1(battery, "robot_msgs/msg/Battery"))
        pose = writer.add_connection(
            "/state", "std_msgs/msg/String", msgdef="uint64 other\n", md5sum="0" * 32
        )
        writer.write(pose, START, b"\0" * 8)
    return path


def test_a_ros1_bag_gives_the_bag_that_a_rosbag2_gives(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    ros1, ros2 = write_ros1(tmp_path / "a/drive.bag", 4), write_bag(tmp_path / "drive", messages(4))
    run, told = fuse(ros1, tmp_path / "from1")
    fuse(ros2, tmp_path / "from2")
    result, expected = read_all(tmp_path / "from1"), read_all(tmp_path / "from2")
    assert run.report.is_complete
    assert {name: result[name] for name in expected} == expected
    assert set(result) == {*expected, "/battery"}
    assert result["/battery"] == [(START, b"\0\1\0\0" + b"\x50\0\0\0" + b"\2\0\0\0b\0")]
    assert "/state" in told[0]
    assert "left out" in told[0]
    with Bag(tmp_path / "from1") as bag:
        assert bag.storage == "mcap"
