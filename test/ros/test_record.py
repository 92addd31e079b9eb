"""The recorder: what it keeps of a bag, and the process itself over DDS."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from harness import PERIOD, START, image_message
from node_process import PATIENCE
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_ros.record.spool import INPUTS, OUTPUTS, Spool
from psfusion_ros.record.timeline import FOLDERS, read_timeline

RECORD = [sys.executable, "-m", "psfusion_ros.record"]
MILLISECOND = 1_000_000


def camera_info(stamp: int) -> CameraInfo:
    message = CameraInfo()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    return message


def set_of_messages(number: int) -> dict[str, Any]:
    """Make the number-th pair and its outputs, all different, of a size that the stock DDS profile loses."""
    generator = np.random.default_rng(number)
    stamp = START + number * PERIOD
    messages: dict[str, Any] = {"fused/camera_info": camera_info(stamp)}
    for topic, encoding in (
        ("visible/image", "rgb8"), ("infrared/image", "mono16"), ("fused/image", "rgb8"),
        ("semantic/mask", "mono8"), ("semantic/overlay", "rgb8"),
    ):  # fmt: skip
        pixel = PIXEL_FORMATS[encoding]
        values = generator.integers(0, np.iinfo(pixel.dtype).max + 1, (480, 640, pixel.channels), pixel.dtype)
        messages[topic] = image_message(values, encoding, stamp, "camera")
    return messages


def write_bag(path: Path, arrivals: list[tuple[str, int, int]]) -> Path:
    """Write a bag as the recorder does, of (topic, stamp, time of arrival) in milliseconds after START."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Writer(path, version=9) as writer:
        connections = {
            topic: writer.add_connection(
                topic,
                f"sensor_msgs/msg/{'CameraInfo' if topic == 'fused/camera_info' else 'Image'}",
                typestore=store,
            )
            for topic in (*INPUTS, *OUTPUTS)
        }
        for topic, stamp, arrival in arrivals:
            message = camera_info(START + stamp * MILLISECOND)
            if topic != "fused/camera_info":
                message = Image(header=message.header)
            writer.write(connections[topic], START + arrival * MILLISECOND, serialize_message(message))
    return path


def test_timeline_pairs_by_nearest_stamp_and_measures_latency_from_arrival_to_arrival(tmp_path: Path) -> None:
    arrivals = [
        ("visible/image", 0, 5), ("infrared/image", 10, 12),
        ("visible/image", 100, 105), ("infrared/image", 70, 106), ("infrared/image", 110, 112),
        ("visible/image", 200, 205), ("infrared/image", 260, 261),
        *((topic, 100, 180) for topic in OUTPUTS),
    ]  # fmt: skip
    timeline = read_timeline(write_bag(tmp_path / "bag", arrivals))
    assert timeline.pairs == [START, START + 100 * MILLISECOND]  # at 200 ms the partner is 60 ms away
    (shot,) = timeline.shots
    assert shot.stamp == START + 100 * MILLISECOND
    assert shot.infrared_stamp == START + 110 * MILLISECOND
    assert shot.latency == 75 * MILLISECOND
    assert timeline.rate == pytest.approx(10.0)
    assert timeline.summary() == "2 pairs in at 10.0 Hz, 1 fused (50%), median latency 75 ms"


def test_timeline_names_the_outputs_that_are_missing(tmp_path: Path) -> None:
    inputs = [(topic, stamp, stamp) for stamp in (0, 100) for topic in INPUTS]
    outputs = [(topic, 0, 50) for topic in OUTPUTS] + [("fused/image", 100, 150)]
    timeline = read_timeline(write_bag(tmp_path / "bag", inputs + outputs))
    assert [shot.stamp for shot in timeline.shots] == [START]
    missing = ["fused/camera_info", "semantic/mask", "semantic/overlay"]
    assert timeline.incomplete == {START + 100 * MILLISECOND: missing}
    assert "1 with outputs missing" in timeline.summary()


def test_timeline_without_any_camera_info_misses_none(tmp_path: Path) -> None:
    arrivals = [(topic, 0, 0) for topic in (*INPUTS, *OUTPUTS) if topic != "fused/camera_info"]
    timeline = read_timeline(write_bag(tmp_path / "bag", arrivals))
    assert len(timeline.shots) == 1
    assert timeline.incomplete == {}


class Subscriptions:
    """Stands in for a node: keeps the callbacks, so that a test decides what comes."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}

    def create_subscription(self, kind: Any, topic: str, callback: Any, *_: Any, **options: Any) -> None:
        self.made[topic] = SimpleNamespace(callback=callback, **options)

    def deliver(self, topic: str, number: int | None, publisher: bytes = b"first") -> None:
        info = {"received_timestamp": START}
        if number is not None:
            info |= {"publication_sequence_number": number, "publisher_gid": {"data": publisher}}
        self.made[topic].callback(serialize_message(Image()), info)


@pytest.fixture
def subscriptions(tmp_path: Path) -> Iterator[tuple[Subscriptions, Spool]]:
    made = Subscriptions()
    with BagWriter(tmp_path / "bag", "mcap") as writer:
        yield made, Spool(made, writer)  # type: ignore[arg-type]


def test_gaps_in_sequence_numbers_are_counted_as_lost(subscriptions: tuple[Subscriptions, Spool]) -> None:
    made, spool = subscriptions
    for number in (4, 5, 8, 9, 11):
        made.deliver("fused/image", number)
    made.deliver("visible/image", 1)
    assert spool.received == {"fused/image": 5, "visible/image": 1}
    assert spool.lost() == {**dict.fromkeys((*INPUTS, *OUTPUTS), 0), "fused/image": 3}


def test_a_publisher_that_starts_anew_is_no_gap(subscriptions: tuple[Subscriptions, Spool]) -> None:
    made, spool = subscriptions
    for number, publisher in ((1, b"first"), (2, b"first"), (7, b"second"), (8, b"second"), (3, b"first")):
        made.deliver("visible/image", number, publisher)
    assert spool.lost()["visible/image"] == 0


def test_losses_that_the_middleware_reports_are_counted_without_sequence_numbers(
    subscriptions: tuple[Subscriptions, Spool],
) -> None:
    made, spool = subscriptions
    made.deliver("visible/image", None)
    for _ in range(2):
        event = SimpleNamespace(total_count_change=2)
        made.made["visible/image"].event_callbacks.message_lost(event)
    assert spool.lost()["visible/image"] == 4


def record(environment: dict[str, str], output: Path, numbers: range) -> subprocess.CompletedProcess[str]:
    """Run the recorder while these sets of messages are published ten times a second."""
    sets = [set_of_messages(number) for number in numbers]
    node = rclpy.create_node("cameras_and_fusion")
    publishers = {
        topic: node.create_publisher(CameraInfo if topic == "fused/camera_info" else Image, topic, 50)
        for topic in (*INPUTS, *OUTPUTS)
    }
    command = [*RECORD, "--output", str(output)]
    try:
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + PATIENCE
            while not all(publisher.get_subscription_count() for publisher in publishers.values()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            for messages in sets:
                time.sleep(0.1)
                for topic, message in messages.items():
                    publishers[topic].publish(message)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE)
    finally:
        node.destroy_node()
    return subprocess.CompletedProcess(command, process.returncode, stderr=errors)


def read_png(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image if image.ndim == 2 else image[..., ::-1]


def test_recorder_writes_what_was_sent_and_a_sheet_and_a_video(
    session_environment: dict[str, str], tmp_path: Path
) -> None:
    ended = record(session_environment, tmp_path, range(12))
    assert ended.returncode == 0, ended.stderr
    report = json.loads((tmp_path / "record.json").read_text())
    stamps = [frame["stamp"] for frame in report["frames"]]
    # It may join late, but then it misses nothing.
    assert stamps == [START + number * PERIOD for number in range(12)][-len(stamps) :]
    assert report["fused"] == report["pairs_in"] == len(stamps) > 0
    assert all(topic == {"received": len(stamps), "lost": 0} for topic in report["topics"].values())
    for frame in report["frames"]:
        sent = set_of_messages((frame["stamp"] - START) // PERIOD)
        for topic, folder in FOLDERS.items():
            written = read_png(tmp_path / folder / f"{frame['name']}.png")
            assert written.tobytes() == bytes(sent[topic].data)
    assert read_png(tmp_path / "contact_sheet.png").shape[2] == 3
    video = cv2.VideoCapture(str(tmp_path / "side_by_side.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == len(stamps)
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0)
    assert video.read()[0]
    assert {path.name for path in tmp_path.iterdir()} == {
        *FOLDERS.values(), "record.json", "contact_sheet.png", "side_by_side.mp4",
    }  # fmt: skip


def test_recording_again_replaces_its_own_images_and_nothing_else(
    session_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "fused").mkdir()
    for name in ("earlier", "mine"):
        (tmp_path / "fused" / f"{name}.png").write_bytes(b"")
    (tmp_path / "record.json").write_text(json.dumps({"frames": [{"name": "earlier"}]}))
    assert record(session_environment, tmp_path, range(12)).returncode == 0
    names = {path.stem for path in (tmp_path / "fused").iterdir()}
    report = json.loads((tmp_path / "record.json").read_text())
    assert names == {"mine", *(frame["name"] for frame in report["frames"])}


def test_recorder_that_heard_nothing_says_so_and_ends_with_status_1(
    session_environment: dict[str, str], tmp_path: Path
) -> None:
    ended = record(session_environment, tmp_path, range(0))
    assert ended.returncode == 1
    assert json.loads((tmp_path / "record.json").read_text())["pairs_in"] == 0
    assert "Traceback" not in ended.stderr


def test_folder_that_cannot_be_made_ends_with_status_2_and_one_line(
    session_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    command = [*RECORD, "--output", str(tmp_path / "file" / "folder")]
    ended = subprocess.run(
        command, env=session_environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("record: ")
