"""The changes that a resumed run refuses, and its messages about them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from psfusion_core.training.provenance import CONFIG_FILE, RECORD_FILE, write_run_record
from psfusion_core.training.recipe import ConfigError, to_mapping
from psfusion_core.training.resume_check import (
    ABSENT,
    MAY_CHANGE,
    changed_keys,
    check_same_data,
    check_same_recipe,
)
from psfusion_core.training.training_config import LossConfig, SourceConfig, TrainConfig

CONFIG = TrainConfig(output="runs/a", sources=[SourceConfig(path="pairs")], device="cpu", learning_rate=1e-5)


def stored(folder: Path, config: TrainConfig = CONFIG) -> Path:
    OmegaConf.save(OmegaConf.structured(config), folder / CONFIG_FILE)
    return folder


def test_changes_are_told_in_dotted_keys_with_both_values() -> None:
    after = replace(CONFIG, steps=3, loss=LossConfig(gradient=5.0), sources=[SourceConfig(path="other")])
    assert changed_keys(to_mapping(CONFIG), to_mapping(after)) == {
        "steps": (CONFIG.steps, 3),
        "loss.gradient": (LossConfig().gradient, 5.0),
        "sources.0.path": ("pairs", "other"),
    }


def test_a_key_that_one_side_lacks_is_told_as_absent() -> None:
    assert changed_keys({"a": 1, "both": None}, {"b": [2], "both": None}) == {
        "a": (1, ABSENT),
        "b.0": (ABSENT, 2),
    }


def test_a_stored_configuration_is_the_same_recipe_as_the_one_it_was_stored_from(tmp_path: Path) -> None:
    check_same_recipe(stored(tmp_path), CONFIG)


def test_a_folder_without_a_configuration_takes_any(tmp_path: Path) -> None:
    check_same_recipe(tmp_path, CONFIG)


def test_another_recipe_is_refused_with_the_old_and_new_values_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check_same_recipe(stored(tmp_path), replace(CONFIG, learning_rate=0.002, crop=64, steps=9))
    assert str(caught.value) == (
        f"{tmp_path} was started with crop {CONFIG.crop}, now 64; learning_rate 1e-05, now 0.002: choose "
        "another output folder, or pass allow_changes=true"
    )


def test_another_recipe_is_taken_where_changes_are_allowed(tmp_path: Path) -> None:
    check_same_recipe(stored(tmp_path), replace(CONFIG, learning_rate=0.002, allow_changes=True))


def test_how_long_how_often_and_where_a_run_works_may_change(tmp_path: Path) -> None:
    check_same_recipe(
        stored(tmp_path),
        replace(CONFIG, steps=9, checkpoint_every=3, workers=1, device="auto", output="elsewhere"),
    )


def test_keys_that_may_change_are_keys_of_the_configuration() -> None:
    assert {item.name for item in fields(TrainConfig)} >= set(MAY_CHANGE)


def test_a_stored_configuration_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text("steps: [1, 2")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        check_same_recipe(tmp_path, CONFIG)


def test_another_number_of_processes_is_refused_unless_changes_are_allowed(tmp_path: Path) -> None:
    write_run_record(tmp_path, to_mapping(CONFIG), "cpu", [])
    check_same_data(tmp_path, CONFIG, [])
    record = tmp_path / RECORD_FILE
    record.write_text(record.read_text().replace('"world_size": 1', '"world_size": 4'))
    with pytest.raises(ConfigError, match=r"4 processes, now 1: start as many, .*allow_changes=true"):
        check_same_data(tmp_path, CONFIG, [])
    check_same_data(tmp_path, replace(CONFIG, allow_changes=True), [])
