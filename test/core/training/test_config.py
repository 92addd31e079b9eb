"""Recipes: typed, checked, and overridden key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.training_config import load_config

RECIPES = Path(__file__).parents[3] / "training" / "configs"


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_is_a_valid_configuration(recipe: Path) -> None:
    assert load_config(recipe).sources


def test_overrides_win_over_the_recipe() -> None:
    overrides = [
        "steps=7", "loss.gradient=2.5", "sources.1.path=mine", "cameras.glare_probability=0.5",
        "validation.path=checked", "validation.split=dev",
    ]  # fmt: skip
    config = load_config(RECIPES / "psfusion_lite.yaml", overrides)
    assert (config.steps, config.loss.gradient, config.sources[1].path) == (7, 2.5, "mine")
    assert load_config(RECIPES / "psfusion_lite.yaml", ["initial_weights="]).initial_weights == ""
    assert config.cameras.glare_probability == 0.5
    assert (config.validation.path, config.validation.split) == ("checked", "dev")


def test_a_recipe_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("steps: [1, 2")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config(tmp_path / "broken.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stepz=3", "'steps'"),
        ("loss.gradent=3", "'loss.gradient'"),
        ("geometry.rotation=3", "'geometry.rotation_degrees'"),
        ("teacher.weight_path=a", "'teacher.weight"),
        ("steps=many", "steps"),
        ("crop=1.5", "crop"),
        ("crop=100", "multiple of 32"),
        ("checkpoint_every=0", "1 or more"),
        ("sources=[]", "at least one folder"),
        ("sources.0.wight=2", "'sources.0.weight'"),
        ("objective=mine", "blend, paper"),
        ("precision=16", "bf16-mixed"),
        ("cameras.glare_probability=2", "glare_probability is 2.0; expected 0 to 1"),
        ("sources=[{weight: 2}]", "has no path"),
        ("sources=[{path: a, weight: 0}]", "weight 0"),
        ("validation.path=data/msrs", "trained on"),
        ("validation.layout=simulator", "no end"),
        ("learning_rate=-1", "learning_rate is -1"),
        ("teacher.object_confidence=7", "expected 0 to 1"),
        ("loss.gradient=-1", "expected 0 or more"),
        ("steps", "expected key=value"),
    ],
)
def test_unknown_ill_typed_and_impossible_values_are_errors_that_help(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(RECIPES / "psfusion_lite.yaml", [override])
