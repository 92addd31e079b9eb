"""Whole comparisons on simulated drives: they learn, they resume exactly, and they refuse to mix recipes."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from omegaconf import OmegaConf

from psfusion_core.cameras.image_files import read_visible, write_image
from psfusion_core.cli import main
from psfusion_core.evaluation.downstream import segmentation_run as run_module
from psfusion_core.evaluation.downstream.comparison import compare
from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig
from psfusion_core.evaluation.downstream.run_folder import RunFolder, run_recipe
from psfusion_core.evaluation.downstream.segmentation_run import SegmentationRun
from psfusion_core.evaluation.downstream.segmenter_inputs import parse_input, with_input_images
from psfusion_core.models.networks import create_model
from psfusion_core.models.weight_files import save_weights
from psfusion_core.training.checkpoints import STATE_FILE
from psfusion_core.training.data.scene_planes import to_batch
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.losses.semantic import hard_example_cross_entropy
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.training_config import SourceConfig

Sources = tuple[FolderSource, FolderSource]
Make = Callable[..., DownstreamConfig]


@pytest.fixture(autouse=True)
def log_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "LOG_EVERY", 1)


def make_run(
    small: Make,
    sources: Sources,
    fabric: Fabric,
    path: Path,
    segmenter: str = "segnext_tiny",
    **changes: object,
) -> SegmentationRun:
    config = small(test_every=2, **changes)
    train, test = sources
    folder = RunFolder(path, run_recipe(config, segmenter, 0), [train.summary(), test.summary()])
    return SegmentationRun(config, segmenter, 0, train, test, folder, fabric)


@pytest.mark.parametrize("segmenter", ["segformer_b0", "segnext_tiny", "banet_18"])
def test_every_segmenter_learns_a_batch(
    small: Make, sources: Sources, fabric: Fabric, tmp_path: Path, segmenter: str
) -> None:
    run = make_run(small, sources, fabric, tmp_path, segmenter, steps=30, learning_rate=1e-3)
    windows = next(run._batches())
    crop = to_batch(windows[..., :64, :64])

    def loss() -> float:
        with torch.no_grad():
            return float(hard_example_cross_entropy(run.model(crop.visible), crop.label, crop.weight))

    before = loss()
    for _ in range(20):
        run.train_step(windows)
    assert loss() < 0.75 * before


@pytest.mark.parametrize(
    "segmenter",
    ["segformer_b0", *(pytest.param(name, marks=pytest.mark.slow) for name in ("segnext_tiny", "banet_18"))],
)
def test_a_run_that_was_stopped_ends_with_the_weights_and_result_of_an_unbroken_one(
    small: Make, sources: Sources, fabric: Fabric, tmp_path: Path, segmenter: str
) -> None:
    whole = make_run(small, sources, fabric, tmp_path / "whole", segmenter)
    expected = whole.run()
    stopped = make_run(small, sources, fabric, tmp_path / "halves", segmenter)
    batches = stopped._batches()
    for _ in range(3):  # the third step is taken after the last checkpoint, and is lost
        stopped.train_step(next(batches))
        if stopped.step == 2:
            stopped.save()
    resumed = make_run(small, sources, fabric, tmp_path / "halves", segmenter)
    assert resumed.step == 2
    assert np.array_equal(resumed.run(), expected)
    for name, tensor in whole.model.module.state_dict().items():
        torch.testing.assert_close(resumed.model.module.state_dict()[name], tensor, rtol=0, atol=0)


def test_all_inputs_are_trained_on_the_same_crops(
    small: Make, sources: Sources, fabric: Fabric, tmp_path: Path
) -> None:
    batches = []
    for name in ("visible", "infrared"):
        shown = tuple(with_input_images(source, parse_input(name), tmp_path, "cpu") for source in sources)
        run = make_run(small, shown, fabric, tmp_path / name)
        windows = run._batches()
        batches.append([next(windows) for _ in range(3)])
        batches[-1].append(next(iter(run.model.module.network.parameters())).detach())
    *visible, first_weights = batches[0]
    *infrared, same_weights = batches[1]
    assert torch.equal(first_weights, same_weights)
    for one, other in zip(visible, infrared, strict=True):
        assert torch.equal(one[:, 3:], other[:, 3:])
        assert not torch.equal(one[:, :3], other[:, :3])


def test_a_comparison_writes_tables_and_curves_and_does_not_run_twice(small: Make, tmp_path: Path) -> None:
    config = small(test_every=2, seeds=[0, 1], test_flip=True)
    results = compare(config)
    assert set(results.confusions) == {
        ("segnext_tiny", shown, seed) for shown in ("visible", "infrared") for seed in (0, 1)
    }
    output = Path(config.output)
    assert read_visible(output / "curves.png").std() > 10
    picture = read_visible(output / "segnext_tiny/infrared/seed_1/predictions.jpg")
    assert picture.shape[1] > 3 * 128
    assert picture[30:110, :128].std() > 10  # the input of the first row
    rows = list(csv.DictReader((output / "segnext_tiny/visible/seed_0/test.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert float(rows[1]["mean_iou"]) == pytest.approx(
        results.mean_iou("segnext_tiny", "visible", 0), abs=1e-5
    )
    record = output / "segnext_tiny/visible/seed_0/runs.jsonl"
    before, table = record.read_text(), (output / "results.md").read_text()
    again = compare(config)
    assert record.read_text() == before
    assert (output / "results.md").read_text() == table
    assert all(np.array_equal(again.confusions[key], counts) for key, counts in results.confusions.items())


def test_a_finished_run_is_no_result_of_another_recipe_other_data_or_another_test(
    small: Make, drives: tuple[SourceConfig, SourceConfig]
) -> None:
    compare(small(inputs=["visible"], steps=1))
    with pytest.raises(ConfigError, match=r"steps 1, now 2: choose another output"):
        compare(small(inputs=["visible"], steps=2))
    with pytest.raises(ConfigError, match=r"test_flip False, now True: choose another output"):
        compare(small(inputs=["visible"], steps=1, test_flip=True))
    changed = Path(drives[1].path) / "vi"
    file = sorted(changed.iterdir())[0]
    bytes_before = file.read_bytes()
    try:
        write_image(file, 255 - read_visible(file))
        with pytest.raises(ConfigError, match=r"result of other data: choose another output"):
            compare(small(inputs=["visible"], steps=1))
    finally:
        file.write_bytes(bytes_before)
    assert compare(small(inputs=["visible"], steps=1, checkpoint_every=7)).confusions


def test_every_input_is_looked_at_before_the_first_run(
    small: Make, drives: tuple[SourceConfig, SourceConfig], tmp_path: Path
) -> None:
    (tmp_path / "partial").mkdir()
    for file in (Path(drives[0].path) / "vi").iterdir():  # those of the training pairs alone
        write_image(tmp_path / "partial" / file.name, read_visible(file))
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    save_weights(
        create_model("psfusion_lite", 5, None), tmp_path / "other.safetensors", {"model": "psfusion"}
    )
    for entry, message in (
        ("psfusion", "no weights ship for 'psfusion': give the path of a checkpoint .* as weights"),
        ("mine=nowhere", "nowhere is neither a folder of fused images nor a checkpoint"),
        (f"mine={tmp_path}/damaged.safetensors", "damaged.safetensors"),
        (f"mine={tmp_path}/other.safetensors", "expected the .* tensors of this model"),
        (f"mine={tmp_path}/partial", "partial has no image for 4 pairs"),
    ):
        config = small(inputs=["visible", entry])
        with pytest.raises((FileNotFoundError, ValueError), match=message):
            compare(config)
        assert not list(Path(config.output).glob("segnext_tiny/**/*"))


def test_labels_are_needed(small: Make, tmp_path: Path) -> None:
    for kind, shape in (("vi", (64, 64, 3)), ("ir", (64, 64))):
        (tmp_path / "bare" / kind).mkdir(parents=True)
        write_image(tmp_path / "bare" / kind / "a.png", np.zeros(shape, np.uint8))
    with pytest.raises(ConfigError, match=r"no test pair of .*bare is labelled"):
        compare(small(test=SourceConfig(path=str(tmp_path / "bare"))))


def test_the_command_prints_the_table(
    small: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    OmegaConf.save(OmegaConf.structured(small()), recipe)
    assert main(["downstream", "--config", str(recipe), "steps=1", "inputs=[infrared]"]) == 0
    printed = capsys.readouterr()
    assert "| infrared | 1 |" in printed.out
    last = printed.err.splitlines()[-1]
    names = last.removeprefix(f"written to {tmp_path / 'comparison'}: ").split(", ")
    assert len(names) == 4
    assert all((tmp_path / "comparison" / name).is_file() for name in names)
    result = tmp_path / "comparison/segnext_tiny/infrared/seed_0/result.json"
    assert np.sum(json.loads(result.read_text())["confusion"]) == 4 * 96 * 128


def test_an_interrupted_comparison_ends_with_130_and_says_that_it_goes_on(
    small: Make, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.yaml"
    OmegaConf.save(OmegaConf.structured(small(steps=100_000, checkpoint_every=1)), recipe)
    state = tmp_path / "comparison/segnext_tiny/visible/seed_0" / STATE_FILE
    words = [sys.executable, "-m", "psfusion_core.cli", "downstream", "--config", str(recipe)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as run:
        while not state.exists():
            assert run.poll() is None, "ended too early"
            time.sleep(0.005)
        run.send_signal(signal.SIGINT)
        _, error = run.communicate()
    assert run.returncode == 130
    assert error.splitlines()[-2:] == [
        "psfusion downstream: give the same command again to continue from here",
        "psfusion downstream: interrupted",
    ]
    assert "Traceback" not in error


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["downstream", "--config", "nowhere.yaml"]) == 2
    error = capsys.readouterr().err
    assert "no such configuration: nowhere.yaml" in error
    assert error.count("\n") == 1
