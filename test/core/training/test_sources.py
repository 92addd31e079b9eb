"""Sources of scenes on disk and from the simulator, and endless windows of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from psfusion_core.cameras.image_files import ImageError, write_image
from psfusion_core.training.data.random_windows import RandomWindows
from psfusion_core.training.data.scene_planes import to_batch
from psfusion_core.training.data.sources import (
    FolderSource,
    SimulatedSource,
    create_source,
    read_names,
)
from psfusion_core.training.training_config import SourceConfig


def folder(path: Path, **changes: object) -> FolderSource:
    return FolderSource(SourceConfig(path=str(path), **changes), "msrs")  # type: ignore[arg-type]


def test_batches_depend_on_seed_and_number_alone(pairs: Path) -> None:
    def windows(first: int = 0, stride: int = 1) -> RandomWindows:
        return RandomWindows([folder(pairs)], [1.0], 64, 0.0, 3, seed=1, first_batch=first, stride=stride)

    assert torch.equal(windows().batch(5), windows().batch(5))
    assert not torch.equal(windows().batch(5), windows().batch(6))
    strided = iter(windows(first=5, stride=2))
    assert torch.equal(next(strided), windows().batch(5))
    assert torch.equal(next(strided), windows().batch(7))


def test_sources_are_drawn_from_by_weight(tmp_path: Path) -> None:
    for drive in "12":
        for kind in ("vi", "ir", "label"):
            (tmp_path / drive / kind).mkdir(parents=True)
        write_image(tmp_path / drive / "vi/a.png", np.zeros((64, 64, 3), np.uint8))
        write_image(tmp_path / drive / "ir/a.png", np.zeros((64, 64), np.uint8))
        write_image(tmp_path / drive / "label/a.png", np.full((64, 64), int(drive), np.uint8))
    sources = [folder(tmp_path / drive) for drive in "12"]
    labels = to_batch(RandomWindows(sources, [3.0, 1.0], 32, 0.0, 400, seed=0).batch(0)).label[:, 0, 0]
    assert 0.68 < (labels == 1).float().mean() < 0.82
    joined = folder(tmp_path / "*")
    assert len(joined.scenes) == 2


def test_true_labels_win_over_predicted_ones(pairs: Path) -> None:
    (pairs / "label").mkdir()
    write_image(pairs / "label/a.png", np.full((80, 96), 4, np.uint8))
    scenes = torch.stack(folder(pairs).scenes)
    assert (to_batch(scenes).label[0] == 4).all()


def test_unlabelled_scenes_carry_255_and_are_counted(pairs: Path) -> None:
    source = folder(pairs)
    assert (to_batch(source.scenes[1][None]).label == 255).all()
    summary = source.summary()
    assert (summary["pairs"], summary["labelled"]) == (2, 1)
    assert summary["sha256"] == folder(pairs).summary()["sha256"]
    source.scenes[0][0, 0, 0] ^= 1
    assert summary["sha256"] != source.summary()["sha256"]


def test_boxes_alone_label_a_scene(pairs: Path) -> None:
    (pairs / "label_pseudo/a.png").unlink()
    (pairs / "label_pseudo").rmdir()
    (pairs / "boxes").mkdir()
    (pairs / "boxes/a.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    label = to_batch(folder(pairs).scenes[0][None]).label[0]
    assert label[40, 48] == 1
    assert label[2, 2] == 0
    assert to_batch(folder(pairs).scenes[0][None]).weight[0, 2, 2] == 0.5


def test_boxes_without_the_classes_of_msrs_are_refused(pairs: Path) -> None:
    (pairs / "label_pseudo").rename(pairs / "not_read")
    (pairs / "boxes").mkdir()
    (pairs / "boxes/b.txt").write_text("2 0.5 0.5 0.5 0.5\n")
    with pytest.raises(ValueError, match=r"b\.txt: boxes are of MSRS classes; train with labels: msrs"):
        FolderSource(SourceConfig(path=str(pairs)), "pst900")


def test_excluded_names_and_files_without_a_partner_are_left_out(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(pairs / "vi/alone.png", np.zeros((80, 96, 3), np.uint8))
    (tmp_path / "held_out.txt").write_text("a\n")
    source = folder(pairs, exclude=str(tmp_path / "held_out.txt"))
    assert [record.name for record in source.records] == ["b"]
    error = capsys.readouterr().err
    assert "alone.png" in error
    assert "1 of 2 pairs excluded" in error


def test_excluded_names_may_have_spaces_and_suffixes(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("frame 12\n00012.png\nv1.5\n\n")
    assert read_names(tmp_path / "names.txt") == {"frame 12", "00012", "v1.5"}


def test_a_four_channel_image_is_visible_and_infrared(tmp_path: Path) -> None:
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    bgra = np.zeros((64, 64, 4), np.uint8)
    bgra[..., :] = (10, 20, 30, 40)
    cv2.imwrite(str(tmp_path / "images/a.png"), bgra)
    cv2.imwrite(str(tmp_path / "labels/a.png"), np.full((64, 64), 2, np.uint8))
    (tmp_path / "train.txt").write_text("a\n")
    assert folder(tmp_path).scenes[0][:5, 0, 0].tolist() == [30, 20, 10, 40, 2]


def test_a_resized_source_keeps_labels_whole(pairs: Path) -> None:
    label = np.zeros((80, 96), np.uint8)
    label[:, 33:] = label[27:] = 8  # edges inside of the blocks that become one pixel
    write_image(pairs / "label_pseudo/a.png", label)
    scene = folder(pairs, resize=0.5).scenes[0]
    assert scene.shape == (7, 40, 48)
    assert scene[4].unique().tolist() == [0, 8]


@pytest.mark.parametrize(
    ("kind", "picture", "message"),
    [
        ("label_pseudo", np.full((80, 96), 12, np.uint8), "class 12"),
        ("label_pseudo", np.zeros((40, 48), np.uint8), "label 48 x 40"),
        ("ir", np.zeros((40, 48), np.uint8), "register and crop"),
    ],
)
def test_data_that_do_not_fit_are_refused(pairs: Path, kind: str, picture: np.ndarray, message: str) -> None:
    write_image(pairs / kind / "a.png", picture)
    with pytest.raises((ValueError, ImageError), match=message):
        folder(pairs)


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        folder(tmp_path / "nowhere")


def test_the_simulator_gives_labelled_frames_without_end_and_the_same_again() -> None:
    source = create_source(SourceConfig(layout="simulator"), "msrs", seed=5, batches_per_step=2)
    assert isinstance(source, SimulatedSource)
    source.POOL = 3
    first = source.scene(0, torch.Generator().manual_seed(1))
    assert first.shape == (7, 480, 640)
    assert first[4].max() <= 8
    later = source.scene(10**6, torch.Generator().manual_seed(1))
    assert not torch.equal(first, later)
    assert len(source.pool) == 3
    again = SimulatedSource("msrs", seed=5, batches_per_step=2)
    again.POOL = 3
    assert torch.equal(again.scene(10**6, torch.Generator().manual_seed(1)), later)
