"""Recipes of comparisons: typed, checked, and overridden key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from psfusion_core.evaluation.downstream.downstream_config import load_comparison
from psfusion_core.training.recipe import ConfigError

RECIPES = Path(__file__).parents[4] / "training" / "configs" / "downstream"


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_is_valid(recipe: Path) -> None:
    assert load_comparison(recipe).inputs


def test_there_are_recipes() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} == {"msrs", "simulator"}


def test_overrides_win_over_the_recipe() -> None:
    overrides = [
        "steps=7", "inputs.0=mine=out/fused", "seeds=[4]", "train.path=mine", "geometry.scale_max=2.0",
        "pretrained.segformer_b0=weights/mit-b0",
    ]  # fmt: skip
    config = load_comparison(RECIPES / "msrs.yaml", overrides)
    assert (config.steps, config.seeds, config.train.path) == (7, [4], "mine")
    assert config.inputs[:2] == ["mine=out/fused", "infrared"]
    assert config.geometry.scale_max == 2.0
    assert config.pretrained == {"segformer_b0": "weights/mit-b0"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stepz=3", "'steps'"),
        ("drives.street=3", "nearest known one is 'drives.*street"),
        ("train.wight=3", "'train.weight'"),
        ("steps=many", "steps"),
        ("steps=0", "1 or more"),
        ("batch_size=1", "batch_size is 1; expected 2 or more"),
        ("crop=100", "multiple of 32"),
        ("segmenters=[unet]", "segformer_b0"),
        ("segmenters=[]", "at least one"),
        ("inputs=[visible, visible]", "none twice"),
        ("inputs.0=thermal", "visible, infrared, average, psfusion"),
        ("inputs.0=mine=", "NAME=FOLDER"),
        ("inputs.0=../up=out", "expected a name of letters"),
        ("seeds=[-1]", "0 or more"),
        ("test_scales=[]", r"such as \[1.0\]"),
        ("test.layout=simulator", "or neither"),
        ("test.split=train", "trained on"),
        ("train.path=", "train has no path"),
        ("pretrained.banet_34=weights", "segformer_b0, segformer_b1"),
        ("steps", "expected key=value"),
    ],
)
def test_unknown_ill_typed_and_impossible_values_are_errors_that_help(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_comparison(RECIPES / "msrs.yaml", [override])
