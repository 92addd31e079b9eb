"""Bags fused from beginning to end: what comes out, in which order, and after which misfortunes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from small_bags import (
    CAMERA_INFO,
    HEIGHT,
    IMAGE,
    PERIOD,
    START,
    TYPES,
    WIDTH,
    camera_info,
    expected,
    fuse,
    images,
    messages,
    pixels,
    raw,
    read_all,
    write_bag,
)

from psfusion_core.bags.bag_reader import Bag, Storage
from psfusion_core.bags.bag_run import SETTINGS
from psfusion_core.distribution import Place
from psfusion_core.fusion.fusion_parameters import FusionParameters


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_the_result_has_the_bag_as_it_was_and_every_pair_fused_under_the_visible_header(
    tmp_path: Path, storage: Storage
) -> None:
    bag = write_bag(tmp_path / "bag", messages(7), storage)
    run, told = fuse(bag, tmp_path / "out", chunk_pairs=3)
    result, original = read_all(tmp_path / "out"), read_all(bag)
    assert {name: result[name] for name in original} == original
    assert not told
    assert run.report.published == 7
    assert run.report.is_complete
    for got, wanted in zip(images(tmp_path / "out", "/fused/image"), expected(7), strict=True):
        np.testing.assert_array_equal(got, wanted)
    kinds = {
        "/fused/image": IMAGE,
        "/semantic/mask": IMAGE,
        "/semantic/overlay": IMAGE,
        "/fused/camera_info": CAMERA_INFO,
    }
    for topic, kind in kinds.items():
        headers = [TYPES.deserialize_cdr(data, kind).header for _, data in result[topic]]
        stamps = [h.stamp.sec * 10**9 + h.stamp.nanosec for h in headers]
        assert stamps == [START + number * PERIOD for number in range(7)]
        assert {h.frame_id for h in headers} == {"visible_optical"}
    with Bag(tmp_path / "out") as written:
        assert written.storage == storage
        times = [time for _, time, _ in written.messages(written.topics)]
    assert times == sorted(times)
    assert not (tmp_path / "out.partial").exists()


def test_only_the_results_are_written_where_that_is_asked_for(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", messages(2))
    fuse(bag, tmp_path / "out", only_fused=True, storage="sqlite3")
    assert set(read_all(tmp_path / "out")) == {
        "/fused/image", "/fused/camera_info", "/semantic/mask", "/semantic/overlay",
    }  # fmt: skip
    assert (tmp_path / "out/out.db3").exists()


def test_compressed_images_give_the_pictures_of_raw_ones(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", messages(3, compressed=True))
    fuse(bag, tmp_path / "out")
    np.testing.assert_array_equal(images(tmp_path / "out", "/fused/image"), expected(3))


@pytest.mark.parametrize("place", [Place(), Place(workers=2)], ids=["here", "processes"])
def test_chunks_of_any_size_at_any_place_give_the_same_bag_though_the_gain_remembers(
    tmp_path: Path, place: Place
) -> None:
    bag = write_bag(tmp_path / "bag", messages(9, bits=16))
    fuse(bag, tmp_path / "whole" / "out", chunk_pairs=1000)
    fuse(bag, tmp_path / "cut" / "out", place, chunk_pairs=2)
    assert_same_files(tmp_path / "whole/out", tmp_path / "cut/out")
    without = FusionParameters(gain_smoothing=0.0)
    fuse(bag, tmp_path / "other" / "out", parameters=without)
    assert read_all(tmp_path / "other/out")["/fused/image"] != read_all(tmp_path / "cut/out")["/fused/image"]


def assert_same_files(one: Path, other: Path) -> None:
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in other.iterdir())
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_a_killed_run_goes_on_and_gives_the_bag_of_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = write_bag(tmp_path / "bag", messages(10, bits=16))
    (tmp_path / "whole").mkdir()
    fuse(bag, tmp_path / "whole/out", chunk_pairs=2)
    (tmp_path / "again").mkdir()
    monkeypatch.setenv("DIE_AT_PAIR", "6")
    process = multiprocessing.get_context("spawn").Process(
        target=fuse, args=(bag, tmp_path / "again/out"), kwargs={"chunk_pairs": 2}
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    monkeypatch.delenv("DIE_AT_PAIR")
    chunks = sorted((tmp_path / "again/out.partial").glob("chunk-*.mcap"))
    assert len(chunks) == 2
    written = [chunk.stat().st_mtime_ns for chunk in chunks]
    monkeypatch.setattr("psfusion_core.bags.bag_run.shutil.rmtree", lambda *_, **__: None)  # to look at it
    run, _ = fuse(bag, tmp_path / "again/out", chunk_pairs=2)
    assert [chunk.stat().st_mtime_ns for chunk in chunks] == written
    assert run.report.published == 10
    assert_same_files(tmp_path / "whole/out", tmp_path / "again/out")


def test_a_run_does_not_go_on_with_other_settings(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", messages(1))
    fuse(bag, tmp_path / "first")
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / SETTINGS).write_text("{}")
    (tmp_path / "out.partial" / "chunk-000000.mcap").touch()
    with pytest.raises(ValueError, match="remove that folder, or use the same settings"):
        fuse(bag, tmp_path / "out")


def test_two_pairs_that_one_image_makes_ready_are_both_fused(tmp_path: Path) -> None:
    millisecond = 1_000_000
    sent = [("visible", 0, 0), ("infrared", 0, 40), ("infrared", 1, 100), ("visible", 1, 100)]
    drive = (
        (
            f"/{camera}/image",
            IMAGE,
            START + order * millisecond,
            raw(pixels(number)[camera == "infrared"], START + stamp * millisecond, camera),
        )
        for order, (camera, number, stamp) in enumerate(sent)
    )
    run, _ = fuse(write_bag(tmp_path / "bag", drive), tmp_path / "out")
    np.testing.assert_array_equal(images(tmp_path / "out", "/fused/image"), expected(2))
    assert run.report.published == 2


def test_what_cannot_be_used_is_counted_and_told_and_the_rest_is_fused(tmp_path: Path) -> None:
    def drive() -> object:
        for number, (name, kind, time, data) in enumerate(messages(5)):
            if number == 1:  # the first visible image
                data = data[:40]
            if number == 5:  # the second infrared image
                data = raw(np.zeros((HEIGHT, WIDTH + 1), np.uint8), START + PERIOD, "infrared_optical")
            if number == 8:  # the third infrared image
                data = raw(pixels(2)[1], 0, "infrared_optical")
            yield name, kind, time, data

    bag = write_bag(tmp_path / "bag", drive())  # type: ignore[arg-type]
    run, told = fuse(bag, tmp_path / "out")
    report = run.report
    assert (report.published, report.rejected, report.failed) == (2, 1, 0)
    assert not report.is_complete
    lines = "\n".join([*report.lines(), *told])
    assert "2 pairs fused, 1 rejected" in lines
    for camera in ("visible", "infrared"):
        counted = f"{camera} (/{camera}/image): received 5, paired 3, dropped_unmatched 1, rejected 1"
        assert counted in lines
    for reason in ("expected a whole sensor_msgs/msg/Image", "sizes differ", "expected a stamp, got zero"):
        assert reason in lines


def test_topics_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", messages(2))
    fuse(bag, tmp_path / "first")
    run, told = fuse(tmp_path / "first", tmp_path / "second")
    assert read_all(tmp_path / "second") == read_all(tmp_path / "first")
    assert "the new results take its place" in told[0]
    assert run.report.is_complete


def test_camera_info_follows_the_camera_and_extrinsics_lay_the_infrared_on(tmp_path: Path) -> None:
    def drive() -> object:
        for name, kind, time, data in messages(4):
            focal = 50.0 if time < START + 2 * PERIOD else 60.0
            if kind == CAMERA_INFO:
                data = camera_info(time, "elsewhere", focal)
                yield "/infrared/camera_info", kind, time, data
            yield name, kind, time, data

    bag = write_bag(tmp_path / "bag", drive())  # type: ignore[arg-type]
    parameters = FusionParameters(registration_mode="extrinsics")
    run, told = fuse(bag, tmp_path / "out", parameters=parameters)
    assert not told
    infos = [
        TYPES.deserialize_cdr(d, CAMERA_INFO) for _, d in read_all(tmp_path / "out")["/fused/camera_info"]
    ]
    assert [info.k[0] for info in infos] == [50.0, 50.0, 60.0, 60.0]
    assert {info.header.frame_id for info in infos} == {"visible_optical"}
    assert run.report.published == 4

    alone = write_bag(tmp_path / "alone", (m for m in messages(2)))
    run, told = fuse(alone, tmp_path / "out2", parameters=parameters)
    assert run.report.rejected == 2
    assert "camera_info of both cameras" in told[0]
    assert not (tmp_path / "out2").exists()
    assert not (tmp_path / "out2.partial").exists()
