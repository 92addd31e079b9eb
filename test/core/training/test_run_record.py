"""What a run was made of, and which changes a resumed one refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

import psfusion_core
from psfusion_core.training.config import LossConfig, SourceConfig, TrainConfig
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.run_record import (
    ABSENT,
    CONFIG_FILE,
    MAY_CHANGE,
    RECORD_FILE,
    changed_keys,
    check_same_recipe,
    source_revision,
    write_run_record,
)

CONFIG = TrainConfig(output="runs/a", sources=[SourceConfig(path="pairs")], device="cpu", learning_rate=1e-5)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid"]
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed package in a checkout of its own."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set where git itself starts the tests
        monkeypatch.delenv(name, raising=False)
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git(package.parent, "init", "--quiet")
    git(package.parent, "add", ".")
    git(package.parent, "commit", "--quiet", "--message", "first")
    return package


def stored(folder: Path, config: TrainConfig = CONFIG) -> Path:
    OmegaConf.save(OmegaConf.structured(config), folder / CONFIG_FILE)
    return folder


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / RECORD_FILE).read_text().splitlines()]


def test_a_start_is_recorded_with_what_it_was_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["psfusion", "train", "steps=7"])
    data: list[dict[str, object]] = [{"path": "pairs", "layout": "plain", "pairs": 3, "fingerprint": "ab"}]
    write_run_record(tmp_path, CONFIG, data)
    (entry,) = entries(tmp_path)
    assert entry["command"] == ["psfusion", "train", "steps=7"]
    assert entry["data"] == data
    assert entry["world_size"] == 1
    assert entry["threads"] == torch.get_num_threads()
    assert str(entry["device"]).startswith("cpu")
    assert str(entry["time"]).endswith("+00:00")
    versions = entry["versions"]
    assert isinstance(versions, dict)
    assert versions.keys() == {"python", "psfusion", "torch", "numpy", "kornia", "opencv"}
    assert (versions["psfusion"], versions["torch"]) == (psfusion_core.__version__, torch.__version__)
    assert isinstance(entry["config"], dict)
    assert changed_keys(CONFIG, entry["config"]) == {}


def test_a_second_start_keeps_the_record_of_the_first(tmp_path: Path) -> None:
    write_run_record(tmp_path, CONFIG, [])
    first = (tmp_path / RECORD_FILE).read_text()
    write_run_record(tmp_path, replace(CONFIG, steps=9), [])
    assert (tmp_path / RECORD_FILE).read_text().startswith(first)
    assert [entry["config"]["steps"] for entry in entries(tmp_path)] == [CONFIG.steps, 9]  # type: ignore[index]


def test_a_checkout_has_its_commit_and_is_clean(package: Path) -> None:
    assert source_revision(package) == (git(package, "rev-parse", "HEAD").strip(), False)


@pytest.mark.parametrize("name", ["__init__.py", "new.py"])
def test_changed_and_new_code_make_it_dirty(package: Path, name: str) -> None:
    (package / name).write_text("changed = True\n")
    assert source_revision(package) == (git(package, "rev-parse", "HEAD").strip(), True)


def test_files_beside_the_package_do_not_make_it_dirty(package: Path) -> None:
    (package.parent / "notes.txt").write_text("data")
    assert source_revision(package).dirty is False


def test_a_package_installed_inside_another_checkout_has_no_revision(package: Path) -> None:
    installed = package.parent / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert source_revision(installed) == (None, None)


def test_a_folder_without_git_has_no_revision(package: Path, tmp_path: Path) -> None:
    assert source_revision(tmp_path) == (None, None)


def test_without_the_git_command_there_is_no_revision(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source_revision(package) == (None, None)


def test_changes_are_told_in_dotted_keys_with_both_values() -> None:
    after = replace(CONFIG, steps=3, loss=LossConfig(gradient=5.0), sources=[SourceConfig(path="other")])
    assert changed_keys(CONFIG, after) == {
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
