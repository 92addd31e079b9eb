"""``psfusion bag``: options, several bags, pictures, how it ends."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av
import pytest
from small_bags import average, expected, images, messages, read_all, write_bag

from psfusion_core.bags.bag_run import BagSettings
from psfusion_core.cameras.image_files import read_visible
from psfusion_core.cli import main


@pytest.fixture(autouse=True)
def quick_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psfusion_core.cli.bag.BagSettings", partial(BagSettings, make_fuser=average))


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return write_bag(tmp_path / "bag", messages(8))


def test_the_counts_are_printed_and_the_exit_status_is_0(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bag", str(bag), str(tmp_path / "out")]) == 0
    output = capsys.readouterr().out
    assert output.splitlines() == [
        f"{tmp_path / 'out'}: 8 pairs fused",
        "  visible (/visible/image): received 8, paired 8",
        "  infrared (/infrared/image): received 8, paired 8",
    ]


def test_where_no_pair_was_fused_the_reasons_are_counted_and_nothing_is_in_the_way_of_a_better_command(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bag", str(bag), str(tmp_path / "out"), "--video", str(tmp_path / "drive.mp4")]
    assert main([*command, "--set", "sync.tolerance_ms=2.0"]) == 1
    output = capsys.readouterr().out
    assert output.startswith(f"{tmp_path / 'out'}: 0 pairs fused: no bag was written\n")
    assert "rejected" not in output
    assert "visible (/visible/image): received 8, dropped_unmatched " in output
    assert list(tmp_path.iterdir()) == [bag]
    assert main(command) == 0
    assert len(read_all(tmp_path / "out")["/fused/image"]) == 8


def test_parameters_come_from_files_and_words(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "node.yaml").write_text("/**: {ros__parameters: {sync: {tolerance_ms: 2.0}}}")
    command = ["bag", str(bag), "--only-fused", "--parameters", str(tmp_path / "node.yaml")]
    assert main([*command, str(tmp_path / "a")]) == 1
    assert not (tmp_path / "a").exists()
    assert main([*command, str(tmp_path / "b"), "--set", "sync.infrared_offset_ms=-2.0"]) == 0
    assert len(read_all(tmp_path / "b")["/fused/image"]) == 8


def test_video_and_contact_sheet_show_the_drive(bag: Path, tmp_path: Path) -> None:
    video, sheet = tmp_path / "drive.mp4", tmp_path / "drive.jpg"
    pictures = ["--video", str(video), "--contact-sheet", str(sheet)]
    assert main(["bag", str(bag), str(tmp_path / "out"), *pictures]) == 0
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    assert [round(frame.time, 3) for frame in frames] == [round(0.1 * number, 3) for number in range(8)]
    height, width = frames[0].height, frames[0].width
    assert width > 4 * 400
    shown = read_visible(sheet)
    assert shown.shape[1] == width
    assert shown.shape[0] > 5 * height
    assert "/chunk/preview" not in read_all(tmp_path / "out")


def test_several_bags_go_into_a_folder_and_those_that_are_there_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bags = [write_bag(tmp_path / name, messages(3)) for name in ("a", "b")]
    (tmp_path / "broken").mkdir()
    command = ["bag", *map(str, bags), str(tmp_path / "broken"), str(tmp_path / "out")]
    assert main(command) == 1
    assert "skipped: expected an intact" in capsys.readouterr().err
    for name in ("a", "b"):
        assert len(images(tmp_path / "out" / name, "/fused/image")) == len(expected(3))
    before = (tmp_path / "out/a/metadata.yaml").stat().st_mtime_ns
    assert main(command) == 1
    assert "already exists" in capsys.readouterr().err
    assert (tmp_path / "out/a/metadata.yaml").stat().st_mtime_ns == before


def test_a_bag_that_is_there_is_replaced_only_where_that_is_asked_for(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bag", str(bag), str(tmp_path / "out")]
    assert main(command) == 0
    assert main(command) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert main(["bag", str(tmp_path / "no_bag"), str(tmp_path / "out"), "--overwrite"]) == 2
    assert images(tmp_path / "out", "/fused/image"), "a bag that cannot be fused replaces nothing"
    (tmp_path / "out/notes.txt").write_text("mine")
    assert main([*command, "--overwrite"]) == 2
    assert "is no bag" in capsys.readouterr().err
    assert (tmp_path / "out/notes.txt").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "out"], "no such file or folder: nowhere"),
        (["BAG", "BAG"], "expected an output outside"),
        (["BAG", "BAG/inside"], "expected an output outside"),
        (["BAG", "BAG", "out"], "two of one name"),
        (["BAG", "other", "out", "--video", "v.mp4"], "show one bag"),
        (["BAG", "out", "--set", "sync.tolerance=3"], "expected NAME=VALUE of a known parameter"),
        (["BAG", "out", "--set", "sync.policy=exact"], "message_filters needs ROS"),
        (["BAG", "out", "--set", "model=unknown", "--visible-topic", "/left"], "images on /left"),
        (["BAG", "out", "--on", "moon"], "--on local, ray"),
    ],
)
def test_errors_are_one_line_with_status_2_and_nothing_is_written(
    bag: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bag", *(word.replace("BAG", str(bag)) for word in words)]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error.splitlines()[-1]
    assert not Path("out").exists()


@pytest.mark.parametrize("inside", ["0.png", "vi/0.JPG"])
def test_a_folder_of_images_is_told_where_it_belongs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], inside: str
) -> None:
    drive = tmp_path / "drive"
    (drive / inside).parent.mkdir(parents=True)
    (drive / inside).touch()
    message = f"{drive} is no bag (it has no metadata.yaml): for folders of images use psfusion fuse"
    assert main(["bag", str(drive), str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    (drive / "drive_0.mcap").touch()  # a bag that was damaged, and its pictures
    assert main(["bag", str(drive), str(tmp_path / "out")]) == 2
    assert "expected an intact" in capsys.readouterr().err
