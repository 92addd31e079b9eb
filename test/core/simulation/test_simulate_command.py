"""``psfusion simulate``: the bag and the images it writes, what it refuses, and no half work left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

from psfusion_core.cli import main
from psfusion_core.simulation import RoadScene, drive_writer
from psfusion_core.simulation.drive import Drive
from psfusion_core.simulation.drive_writer import START_NANOSECONDS

SMALL = ("--size", "96x64", "--rate", "4")


def simulate(output: Path, *options: str) -> int:
    return main(["simulate", "--output", str(output), *SMALL, *options])


def read_bag(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """Messages by topic with their bag time."""
    typestore = get_typestore(Stores.ROS2_JAZZY)
    messages: dict[str, list[tuple[int, Any]]] = {}
    with Reader(path) as reader:
        for connection, stamp, data in reader.messages():
            message = typestore.deserialize_cdr(data, connection.msgtype)
            messages.setdefault(connection.topic, []).append((stamp, message))
    return messages


def nanoseconds(header: Any) -> int:
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, Any]]]:
    path = tmp_path_factory.mktemp("simulate") / "deep" / "drive"
    assert (
        simulate(path, "--seconds", "1", "--time-of-day", "night", "--infrared-bits", "16", "--seed", "4")
        == 0
    )
    return read_bag(path)


def test_bag_has_every_topic_once_per_frame_with_header_stamps_equal_to_bag_time(
    bag: dict[str, list[tuple[int, Any]]],
) -> None:
    frame_ids = {
        "/visible/image": "visible_camera",
        "/infrared/image": "infrared_camera",
        "/ground_truth/label": "visible_camera",
        "/visible/camera_info": "visible_camera",
        "/infrared/camera_info": "infrared_camera",
    }
    assert bag.keys() == frame_ids.keys()
    for topic, messages in bag.items():
        assert [stamp for stamp, _ in messages] == [START_NANOSECONDS + k * 250_000_000 for k in range(4)]
        for stamp, message in messages:
            assert nanoseconds(message.header) == stamp
            assert message.header.frame_id == frame_ids[topic]


@pytest.mark.parametrize(
    ("topic", "encoding", "step", "attribute"),
    [
        ("/visible/image", "rgb8", 96 * 3, "visible"),
        ("/infrared/image", "mono16", 96 * 2, "infrared"),
        ("/ground_truth/label", "mono8", 96, "label"),
    ],
)
def test_bag_images_are_the_rendered_frames(
    bag: dict[str, list[tuple[int, Any]]], topic: str, encoding: str, step: int, attribute: str
) -> None:
    scene = RoadScene(4, "night", 64, 96, 16)
    for k, (_, message) in enumerate(bag[topic]):
        assert (message.encoding, message.step, message.is_bigendian) == (encoding, step, 0)
        assert (message.height, message.width) == (64, 96)
        rendered = getattr(scene.render(k / 4), attribute)
        pixels = message.data.view(rendered.dtype.newbyteorder("<")).reshape(rendered.shape)
        np.testing.assert_array_equal(pixels, rendered)


def test_camera_info_projects_like_the_simulated_camera(bag: dict[str, list[tuple[int, Any]]]) -> None:
    camera = RoadScene(4, "night", 64, 96).camera
    right, up, forward = camera.axes
    point = camera.origin + 8.0 * forward + 1.5 * right - 0.7 * up
    pixel = camera.to_pixels(camera.to_camera(point)) - 0.5  # ROS counts from the middle of the first pixel
    for topic in ("/visible/camera_info", "/infrared/camera_info"):
        _, info = bag[topic][0]
        projected = info.p.reshape(3, 4) @ np.array([1.5, 0.7, 8.0, 1.0])
        np.testing.assert_allclose(projected[:2] / projected[2], pixel, atol=1e-9)
        np.testing.assert_array_equal(info.k.reshape(3, 3), info.p.reshape(3, 4)[:, :3])
        assert (info.height, info.width) == (64, 96)


def test_mcap_and_sqlite_bags_hold_the_same_messages(tmp_path: Path) -> None:
    contents = []
    for storage in ("mcap", "sqlite3"):
        path = tmp_path / storage
        assert simulate(path, "--seconds", "0.5", "--storage", storage) == 0
        assert [file.suffix for file in path.iterdir() if file.name != "metadata.yaml"] == [
            {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
        ]
        with Reader(path) as reader:
            contents.append([(c.topic, stamp, bytes(data)) for c, stamp, data in reader.messages()])
    assert sorted(contents[0]) == sorted(contents[1])


def test_images_are_written_losslessly_under_matching_names(tmp_path: Path) -> None:
    assert (
        simulate(tmp_path / "drive", "--format", "images", "--seconds", "0.5", "--infrared-bits", "16") == 0
    )
    folders = {"vi": "visible", "ir": "infrared", "label": "label"}
    scenes = [RoadScene(0, "night", 64, 96, 16), RoadScene(0, "day", 64, 96, 16)]
    for folder, attribute in folders.items():
        files = sorted((tmp_path / "drive" / folder).iterdir())
        assert [file.name for file in files] == ["000000.png", "000001.png"]
        for k, file in enumerate(files):
            image = np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED))
            expected = getattr(scenes[k].render(k / 4), attribute)
            assert image.dtype == expected.dtype
            np.testing.assert_array_equal(image[..., ::-1] if image.ndim == 3 else image, expected)


def test_both_is_night_in_the_first_half_and_day_in_the_second() -> None:
    drive = Drive(seconds=1.25, rate=4.0, time_of_day="both", height=64, width=96)
    brightness = [frame.visible.mean() for _, frame in drive.frames()]
    assert len(brightness) == len(drive) == 5
    assert max(brightness[:3]) < min(brightness[3:])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--size", "640x32"), "height and width must be at least 64"),
        (("--seconds", "0"), "seconds must be above 0"),
        (("--seconds", "nan"), "seconds must be above 0"),
        (("--rate", "-3"), "rate must be above 0"),
        (("--seconds", "0.1", "--rate", "1"), "hold no frame"),
        (("--seed", "-1"), "seed must be 0 or more"),
    ],
)
def test_bad_options_end_in_one_line_that_names_them_and_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], named: str
) -> None:
    assert simulate(tmp_path / "drive", *options) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("psfusion simulate:")]
    assert len(errors) == 1
    assert named in errors[0]
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_only_replaced_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "drive"
    assert simulate(output, "--seconds", "0.25") == 0
    assert simulate(output, "--seconds", "0.5") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert len(read_bag(output)["/visible/image"]) == 1
    assert simulate(output, "--seconds", "0.5", "--overwrite") == 0
    assert len(read_bag(output)["/visible/image"]) == 2
    assert simulate(output, "--seconds", "0.25", "--overwrite", "--format", "images") == 0
    assert sorted(path.name for path in output.iterdir()) == ["ir", "label", "vi"]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_overwrite_never_deletes_what_is_not_a_drive(tmp_path: Path, kind: str) -> None:
    output = tmp_path / "precious"
    keep = output
    if kind == "file":
        output.write_text("thesis")
    elif kind == "folder":
        output.mkdir()
        (output / "metadata.yaml").write_text("my own")
        keep = output / "thesis.txt"
        keep.write_text("thesis")
    else:
        keep = tmp_path / "thesis"
        keep.mkdir()
        output.symlink_to(keep)
    assert simulate(output, "--seconds", "0.25", "--overwrite") == 2
    assert keep.exists()


@pytest.mark.parametrize("layout", ["bag", "images"])
@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError("disk full")])
def test_an_interrupted_run_leaves_the_earlier_drive_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, problem: BaseException
) -> None:
    output = tmp_path / "drive"
    assert simulate(output, "--seconds", "0.25") == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}

    def broken(self: RoadScene, seconds: float) -> None:
        raise problem

    monkeypatch.setattr(RoadScene, "render", broken)
    assert simulate(output, "--seconds", "0.5", "--overwrite", "--format", layout) != 0
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    assert simulate(tmp_path / "fresh", "--seconds", "0.5", "--format", layout) != 0
    assert list(tmp_path.iterdir()) == [output]


def test_a_missing_rosbags_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(camera: object) -> None:
        raise ImportError("No module named 'rosbags'")

    monkeypatch.setattr(drive_writer, "MessageEncoder", missing)
    assert simulate(tmp_path / "drive", "--seconds", "0.25") == 2
    assert "pip install rosbags" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
