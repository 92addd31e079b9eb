"""Bags whose recorder was killed, or that come from elsewhere: what can be read is fused, and it is said."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_bags import average, expected, fuse, images, messages, write_bag

from psfusion_core.bags.bag_reader import Bag, BagError, Storage
from psfusion_core.bags.bag_run import BagSettings
from psfusion_core.cameras.image_files import read_visible
from psfusion_core.cli import main

FRAMES = 400


@pytest.fixture(scope="module", params=["sqlite3", "mcap"])
def long_bag(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp("bag") / "bag", messages(FRAMES), request.param)


def cut(bag: Path, folder: Path, share: float) -> Path:
    """Return a copy of a bag whose file ends too early, and which has no metadata."""
    folder.mkdir(parents=True)
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    data = file.read_bytes()
    (folder / file.name).write_bytes(data[: int(len(data) * share)])
    return folder


def test_of_a_file_that_ends_too_early_what_is_there_is_fused(long_bag: Path, tmp_path: Path) -> None:
    bag = cut(long_bag, tmp_path / "bag", 0.7)
    run, told = fuse(bag, tmp_path / "out")
    fused = images(tmp_path / "out", "/fused/image")
    assert FRAMES // 3 < len(fused) < FRAMES
    np.testing.assert_array_equal(fused, expected(len(fused)))
    assert run.report.damage
    assert not run.report.is_complete
    assert "is damaged, what can be read is fused" in told[0]


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_a_bag_without_metadata_is_read_file_by_file_in_order(tmp_path: Path, storage: Storage) -> None:
    bag = write_bag(tmp_path / "bag", messages(4), storage)
    (bag / "metadata.yaml").unlink()
    run, _ = fuse(bag, tmp_path / "out")
    np.testing.assert_array_equal(images(tmp_path / "out", "/fused/image"), expected(4))
    assert not run.report.is_complete


def test_one_file_of_a_bag_is_a_bag(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", messages(2))
    run, _ = fuse(bag / "bag.mcap", tmp_path / "out")
    assert run.report.published == 2
    assert run.report.is_complete


def test_the_command_ends_with_status_1_after_a_damaged_bag(
    long_bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("psfusion_core.cli.bag.BagSettings", partial(BagSettings, make_fuser=average))
    bag = cut(long_bag, tmp_path / "bag", 0.8)
    sheet = ["--contact-sheet", str(tmp_path / "sheet.png")]
    assert main(["bag", str(bag), str(tmp_path / "out"), *sheet]) == 1
    assert "damaged" in capsys.readouterr().err
    assert read_visible(tmp_path / "sheet.png").shape[2] == 3


def test_a_bag_that_names_files_outside_its_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / "bag", messages(1))
    metadata = yaml.safe_load((bag / "metadata.yaml").read_text())
    metadata["rosbag2_bagfile_information"]["relative_file_paths"] = ["../elsewhere.mcap"]
    (bag / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    assert main(["bag", str(bag), str(tmp_path / "out")]) == 2
    assert "do not play this bag" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_any_bytes_are_a_bag_or_one_line(tmp_path: Path, storage: Storage, data: st.DataObject) -> None:
    shutil.rmtree(tmp_path / "bag", ignore_errors=True)
    bag = write_bag(tmp_path / "bag", messages(3), storage)
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        replaced = data.draw(st.binary(max_size=40))
        content[position : position + len(replaced)] = replaced
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    problem = "expected an intact bag"
    try:
        with Bag(bag, accept_damage=True) as opened:
            for recorded in opened.messages(opened.topics):
                assert len(recorded.data) < 100_000
    except BagError as error:
        problem = str(error)
    assert problem.startswith("expected an intact")
    assert "\n" not in problem
