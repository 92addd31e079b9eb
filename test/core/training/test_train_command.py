"""``psfusion train`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from psfusion_core.cameras.image_files import read_visible, write_image
from psfusion_core.cli import main
from psfusion_core.training.training_config import TrainConfig

RECIPES = Path(__file__).parents[3] / "training" / "configs"


def test_a_missing_recipe_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--config", "nowhere.yaml"]) == 2
    assert "no such configuration: nowhere.yaml" in capsys.readouterr().err


def test_inspect_draws_the_first_batch_and_trains_nothing(
    small_config: Callable[..., TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    OmegaConf.save(OmegaConf.structured(small_config()), recipe)
    assert main(["train", "--config", str(recipe), "--inspect", str(tmp_path / "batch.png")]) == 0
    picture = read_visible(tmp_path / "batch.png")
    assert picture.shape[1] > 10 * 160
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000
    assert not (tmp_path / "run").exists()


def test_own_pairs_without_labels_can_be_learnt_from_and_fused(tmp_path: Path) -> None:
    """The path of a newcomer: a folder of pairs, the fine-tuning recipe, psfusion fuse with the result."""
    rng = np.random.default_rng(0)
    for kind, shape in (("visible", (96, 128, 3)), ("infrared", (96, 128))):
        (tmp_path / "mine" / kind).mkdir(parents=True)
        for name in "ab":
            write_image(tmp_path / "mine" / kind / f"{name}.png", rng.integers(0, 255, shape, np.uint8))
    small = [
        "steps=2",
        "batch_size=2",
        "crop=64",
        "warmup_steps=1",
        f"output={tmp_path / 'run'}",
        "device=cpu",
    ]
    recipe = str(RECIPES / "finetune.yaml")
    assert main(["train", "--config", recipe, f"sources.0.path={tmp_path / 'mine'}", *small]) == 0
    weights = str(tmp_path / "run/last.safetensors")
    folders = ["--visible", str(tmp_path / "mine/visible"), "--infrared", str(tmp_path / "mine/infrared")]
    assert (
        main(
            ["fuse", *folders, "--output", str(tmp_path / "fused"), "--weights", weights, "--engine", "torch"]
        )
        == 0
    )
    assert read_visible(tmp_path / "fused/fused/a.png").shape == (96, 128, 3)


def test_data_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = str(RECIPES / "finetune.yaml")
    assert main(["train", "--config", recipe, "sources.0.path=nowhere", f"output={tmp_path / 'run'}"]) == 2
    assert "no folder matches nowhere: set the path of the source" in capsys.readouterr().err


def test_the_smoke_recipe_trains(tmp_path: Path) -> None:
    overrides = ["steps=2", "checkpoint_every=2", "crop=64", f"output={tmp_path / 'run'}"]
    assert main(["train", "--config", str(RECIPES / "smoke.yaml"), *overrides]) == 0
    assert (tmp_path / "run/last.safetensors").exists()
