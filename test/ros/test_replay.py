"""`replay`, as its own process, heard by another one over DDS."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import stamp_of
from node_process import PATIENCE, with_checkout
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core.cameras.image_files import ImageError
from psfusion_ros.replay.recordings import BagRecording, FolderRecording

PERIOD = 100_000_000
START = 1_700_000_000_950_000_000
REPLAY = [sys.executable, "-m", "psfusion_ros.replay"]
LISTENER = str(Path(__file__).with_name("listener.py"))
Messages = list[tuple[str, bytes]]
Hear = Callable[..., Messages]


def serialised_image(number: int, encoding: str, height: int = 480, width: int = 640) -> bytes:
    channels = {"rgb8": 3, "mono16": 2}[encoding]
    message = Image(height=height, width=width, encoding=encoding, step=width * channels)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(START + number * PERIOD, 10**9)
    message.header.frame_id = "camera" + number * "_"  # lengths that shift what follows
    message.data.frombytes(np.random.default_rng(number).bytes(height * width * channels))
    return serialize_message(message)


def write_bag(path: Path, storage: StoragePlugin, frames: int) -> Messages:
    """Write a drive of two cameras and something to be left out; return what should be heard."""
    expected: Messages = []
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Writer(path, version=9, storage_plugin=storage) as writer:
        visible, infrared, info, text = (
            writer.add_connection(topic, kind, typestore=store)
            for topic, kind in (
                ("/visible/image", "sensor_msgs/msg/Image"),
                ("/infrared/image", "sensor_msgs/msg/Image"),
                ("/visible/camera_info", "sensor_msgs/msg/CameraInfo"),
                ("/notes", "std_msgs/msg/String"),
            )
        )
        for number in range(frames):
            at = START + number * PERIOD
            for connection, data in (
                (visible, serialised_image(number, "rgb8")),
                (infrared, serialised_image(number, "mono16")),
                (info, serialize_message(CameraInfo(width=640, height=480))),
            ):
                writer.write(connection, at, data)
                expected.append((connection.topic.lstrip("/"), data))
            writer.write(text, at, b"\0\1\0\0\2\0\0\0a\0")
    return expected


@pytest.fixture
def hear(ros_environment: dict[str, str], tmp_path: Path) -> Hear:
    """Start a listener and then `replay`, end `replay` once all is heard; return what was heard."""

    def run(count: int, topics: list[str], arguments: list[str]) -> Messages:
        output = tmp_path / "heard.pickle"
        listening = [sys.executable, LISTENER, str(output), str(count), *topics]
        with subprocess.Popen(listening, env=ros_environment, stdout=subprocess.PIPE, text=True) as listener:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "ready\n"
            with subprocess.Popen(
                REPLAY + arguments, env=ros_environment, stderr=subprocess.PIPE, text=True
            ) as replay:
                listener.wait(timeout=PATIENCE)
                if "--loop" in arguments:
                    replay.send_signal(signal.SIGINT)
                _, errors = replay.communicate(timeout=PATIENCE)
        assert replay.returncode == 0, errors
        assert "Traceback" not in errors
        heard: Messages = pickle.loads(output.read_bytes())
        return heard

    return run


@pytest.mark.parametrize("storage", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_bag_arrives_in_another_process_byte_for_byte_in_order_and_whole(
    hear: Hear, tmp_path: Path, storage: StoragePlugin
) -> None:
    expected = write_bag(tmp_path / "bag", storage, frames=8)
    topics = ["visible/image=Image", "infrared/image=Image", "visible/camera_info=CameraInfo"]
    heard = hear(len(expected), topics, [str(tmp_path / "bag")])
    for topic in ("visible/image", "infrared/image", "visible/camera_info"):
        sent = [data for name, data in expected if name == topic]
        came = [data for name, data in heard if name == topic]
        assert [data[: len(whole)] for data, whole in zip(came, sent, strict=True)] == sent
        for data, whole in zip(came, sent, strict=True):  # RTPS may pad a payload to a multiple of 4 bytes
            assert data[len(whole) :] in (b"", bytes(-len(whole) % 4))


def test_loop_repeats_the_pixels_with_stamps_that_go_on_at_the_same_period(
    hear: Hear, tmp_path: Path
) -> None:
    expected = write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, frames=3)
    sent = [deserialize_message(data, Image) for topic, data in expected if topic == "visible/image"]
    heard = hear(8, ["visible/image=Image"], [str(tmp_path / "bag"), "--loop", "--rate", "4"])
    images = [deserialize_message(data, Image) for _, data in heard]
    assert [stamp_of(image) for image in images] == [START + number * PERIOD for number in range(8)]
    for number, image in enumerate(images):
        assert image.data == sent[number % 3].data
        assert image.header.frame_id == sent[number % 3].header.frame_id


def test_clock_follows_the_times_of_recording(hear: Hear, tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, frames=3)
    heard = hear(12, ["visible/image=Image", "/clock=Clock"], [str(tmp_path / "bag"), "--clock"])
    times = [deserialize_message(data, Clock).clock for topic, data in heard if topic == "/clock"]
    # One for each message, of which there are three at a time; the first may come before the two have met.
    ticks = [START + number * PERIOD for number in range(3) for _ in range(3)]
    assert [time.sec * 10**9 + time.nanosec for time in times] == ticks[-len(times) :]
    assert len(times) > 3


def test_remapping_and_namespace_move_the_topics(hear: Hear, tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, frames=2)
    remap = ["--ros-args", "-r", "visible/image:=front/image_raw", "-r", "__ns:=/robot"]
    heard = hear(2, ["/robot/front/image_raw=Image"], [str(tmp_path / "bag"), *remap])
    assert len(heard) == 2


def test_folders_keep_pixels_and_bit_depth_and_give_a_pair_one_stamp(hear: Hear, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    visible, infrared = tmp_path / "visible", tmp_path / "infrared"
    visible.mkdir()
    infrared.mkdir()
    colour = generator.integers(0, 256, (2, 41, 51, 3), np.uint8)
    counts = generator.integers(0, 65536, (2, 41, 51), np.uint16)
    for number in range(2):
        cv2.imwrite(str(visible / f"{number}.png"), colour[number, ..., ::-1])
    cv2.imwrite(str(infrared / "0.tif"), counts[0])
    cv2.imwrite(str(infrared / "1.bmp"), (counts[1] >> 8).astype(np.uint8))
    cv2.imwrite(str(infrared / "alone.png"), counts[0])

    heard = hear(
        4,
        ["visible/image=Image", "infrared/image=Image"],
        ["--visible", str(visible), "--infrared", str(infrared)],
    )
    seen, thermal = (
        [deserialize_message(data, Image) for name, data in heard if name == topic]
        for topic in ("visible/image", "infrared/image")
    )
    assert [image.encoding for image in seen] == ["rgb8", "rgb8"]
    assert [image.encoding for image in thermal] == ["mono16", "mono8"]
    assert [bytes(image.data) for image in seen] == [colour[0].tobytes(), colour[1].tobytes()]
    assert bytes(thermal[0].data) == counts[0].tobytes()
    assert bytes(thermal[1].data) == (counts[1] >> 8).astype(np.uint8).tobytes()
    assert [stamp_of(image) for image in seen] == [stamp_of(image) for image in thermal]
    assert stamp_of(seen[1]) - stamp_of(seen[0]) == PERIOD
    assert {(image.height, image.width) for image in seen + thermal} == {(41, 51)}


def test_folder_is_read_image_by_image(tmp_path: Path) -> None:
    for name in ("0.png", "1.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, 32), np.uint8))
    entries = FolderRecording(tmp_path, tmp_path, pairs_per_second=10).entries()
    next(entries)
    (tmp_path / "1.png").unlink()
    next(entries)
    with pytest.raises(ImageError, match=r"1\.png cannot be read"):
        next(entries)


def test_bag_knows_its_topics_count_and_span(tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, frames=5)
    recording = BagRecording(tmp_path / "bag")
    assert recording.topics == {
        "visible/image": Image,
        "infrared/image": Image,
        "visible/camera_info": CameraInfo,
    }
    assert recording.counts == dict.fromkeys(recording.topics, 5)
    assert recording.span == 5 * PERIOD


def test_bag_of_one_moment_can_be_looped(tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, frames=1)
    assert BagRecording(tmp_path / "bag").span > 0


def replay(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        REPLAY + arguments, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_help_has_an_example(ros_environment: dict[str, str]) -> None:
    shown = replay(["--help"], ros_environment)
    assert shown.returncode == 0
    assert "replay drive_bag" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing_bag"], "missing_bag"),
        (["missing\nbag"], "missing bag"),
        (["."], "expected an intact rosbag2 folder"),
        (["--visible", "missing", "--infrared", "missing"], "missing"),
        (["--visible", "."], "both --visible and --infrared"),
        ([], "expected a bag"),
    ],
)
def test_what_cannot_be_played_ends_with_status_2_and_one_line(
    ros_environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    reason: str,
) -> None:
    ros_environment |= with_checkout(ros_environment)
    monkeypatch.chdir(tmp_path)
    ended = replay(arguments, ros_environment)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("replay: ")
    assert reason in ended.stderr


def test_truncated_bag_ends_with_status_2_and_one_line(
    ros_environment: dict[str, str], tmp_path: Path
) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.MCAP, frames=4)
    (file,) = (tmp_path / "bag").glob("*.mcap")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    ended = replay([str(tmp_path / "bag"), "--wait-for-subscribers", "0"], ros_environment)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "expected an intact rosbag2 folder" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_an_endless_replay_with_status_0(
    ros_environment: dict[str, str], tmp_path: Path, stop: signal.Signals
) -> None:
    write_bag(tmp_path / "bag", StoragePlugin.SQLITE3, frames=2)
    arguments = [str(tmp_path / "bag"), "--loop", "--wait-for-subscribers", "0.1"]
    with subprocess.Popen(
        REPLAY + arguments, env=ros_environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "playing nevertheless" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(stop)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in errors
