"""What a segmenter is shown: the images of a pair, and fused ones from disk or made once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from psfusion_core import Fuser
from psfusion_core.cameras.image_files import ImageError, read_label, write_image
from psfusion_core.evaluation.downstream.downstream_config import DrivesConfig
from psfusion_core.evaluation.downstream.segmenter_inputs import (
    color_statistics,
    find_network,
    parse_input,
    plain_image,
    with_input_images,
)
from psfusion_core.evaluation.downstream.simulated_drives import render_drives
from psfusion_core.models.luma import luma
from psfusion_core.models.networks import create_model
from psfusion_core.models.weight_files import save_weights
from psfusion_core.training.data.scene_planes import LABEL_PLANE
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.recipe import ConfigError

Sources = tuple[FolderSource, FolderSource]


def test_only_the_visible_planes_change_with_the_input(sources: Sources, tmp_path: Path) -> None:
    train, _ = sources
    before = [scene.clone() for scene in train.scenes]
    shown = with_input_images(train, parse_input("infrared"), tmp_path, "cpu")
    for scene, original, kept in zip(shown.scenes, before, train.scenes, strict=True):
        assert torch.equal(kept, original)
        assert torch.equal(scene[3:], original[3:])
        assert all(torch.equal(scene[color], original[3]) for color in range(3))


def test_the_average_has_the_mean_luma_of_both_images() -> None:
    scene = torch.zeros(7, 40, 40, dtype=torch.uint8)
    scene[:3], scene[3] = torch.tensor([120, 100, 80], dtype=torch.uint8).view(3, 1, 1), 140
    average = luma(plain_image(scene, "average")[None].float())
    expected = (luma(scene[None, :3].float()) + 140.0) / 2.0
    assert float((average - expected).abs().max()) < 1.0


@pytest.mark.usefixtures("exported_network")
def test_a_network_fuses_once_and_its_images_are_those_of_the_fuser(sources: Sources, tmp_path: Path) -> None:
    train, _ = sources
    shown = with_input_images(train, parse_input("psfusion_lite"), tmp_path, "cpu")
    (folder,) = tmp_path.iterdir()
    times = {file: os.stat(file).st_mtime_ns for file in folder.iterdir()}
    assert len(times) == len(train.scenes)
    scene = train.scenes[0].numpy()
    fused = Fuser(device="cpu")(np.ascontiguousarray(scene[:3].transpose(1, 2, 0)), scene[3]).image
    assert np.array_equal(shown.scenes[0][:3].numpy().transpose(1, 2, 0), fused)
    next(iter(times)).unlink()
    again = with_input_images(train, parse_input("psfusion_lite"), tmp_path, "cpu")
    assert all(torch.equal(a, b) for a, b in zip(again.scenes, shown.scenes, strict=True))
    assert sum(os.stat(file).st_mtime_ns != time for file, time in times.items()) == 1


def test_a_folder_of_fused_images_must_have_one_of_each_pair_in_its_size(
    sources: Sources, tmp_path: Path
) -> None:
    train, _ = sources
    names = [record.name for record in train.records]
    (tmp_path / "fused").mkdir()
    for level, name in enumerate(names):
        write_image(tmp_path / f"fused/{name}.png", np.full((96, 128, 3), level, np.uint8))
    choice = parse_input(f"other={tmp_path / 'fused'}")
    shown = with_input_images(train, choice, tmp_path, "cpu")
    assert [int(scene[0, 0, 0]) for scene in shown.scenes] == list(range(len(names)))
    write_image(tmp_path / f"fused/{names[0]}.png", np.zeros((96, 100, 3), np.uint8))
    with pytest.raises(ImageError, match=r"100 x 96, its pair 128 x 96"):
        with_input_images(train, choice, tmp_path, "cpu")
    (tmp_path / f"fused/{names[0]}.png").unlink()
    with pytest.raises(FileNotFoundError, match=f"no image for 1 pairs, such as {names[0]}"):
        with_input_images(train, choice, tmp_path, "cpu")


def test_a_path_that_is_neither_folder_nor_checkpoint_is_named(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is neither a folder of fused images nor"):
        with_input_images(sources[0], parse_input("mine=nowhere"), tmp_path, "cpu")


def test_a_checkpoint_fuses_with_the_network_that_it_names(tmp_path: Path) -> None:
    network = create_model("psfusion_lite", weights=None)
    save_weights(network, tmp_path / "mine.safetensors", {"model": "psfusion_lite"})
    save_weights(network, tmp_path / "other.safetensors", {"segmenter": "banet_18"})
    mine, other = (parse_input(f"{name}={tmp_path / name}.safetensors") for name in ("mine", "other"))
    assert find_network(mine) == ("psfusion_lite", tmp_path / "mine.safetensors")
    with pytest.raises(ConfigError, match="is of no named network; expected psfusion, psfusion_lite"):
        find_network(other)


def test_statistics_are_those_of_all_pixels(sources: Sources) -> None:
    mean, std = color_statistics(sources[0])
    pixels = torch.stack([scene[:3] for scene in sources[0].scenes]).double() / 255.0
    torch.testing.assert_close(mean, pixels.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(std, pixels.std(dim=(0, 2, 3), correction=0), rtol=1e-6, atol=1e-6)


def test_drives_are_rendered_once_and_an_interrupted_frame_again(tmp_path: Path) -> None:
    config = DrivesConfig(train_streets=1, test_streets=1, frames=2, height=64, width=64)
    train, test = render_drives(config, tmp_path)
    labels = sorted((Path(train.path) / "label").iterdir())
    pixels = [read_label(file) for file in labels]
    labels[1].unlink()
    times = os.stat(labels[0]).st_mtime_ns
    assert render_drives(config, tmp_path) == (train, test)
    assert os.stat(labels[0]).st_mtime_ns == times
    assert all(np.array_equal(read_label(file), old) for file, old in zip(labels, pixels, strict=True))


def test_training_and_test_drives_share_no_street(sources: Sources) -> None:
    streets = [{record.name.partition("_")[0] for record in source.records} for source in sources]
    assert [len(names) for names in streets] == [2, 2]
    assert not streets[0] & streets[1]
    train, test = ({scene[LABEL_PLANE].numpy().tobytes() for scene in source.scenes} for source in sources)
    assert not train & test
