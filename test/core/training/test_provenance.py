"""The record of each start of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

import psfusion_core
from psfusion_core.training.provenance import CONFIG_FILE, RECORD_FILE, source_revision, write_run_record

RECIPE = {"steps": 4, "learning_rate": 1e-5, "train": {"path": "pairs"}}


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


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / RECORD_FILE).read_text().splitlines()]


def test_a_start_is_recorded_with_what_it_was_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["psfusion", "train", "steps=7"])
    data: list[dict[str, object]] = [{"path": "pairs", "layout": "plain", "pairs": 3, "fingerprint": "ab"}]
    write_run_record(tmp_path, RECIPE, "cpu", data)
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
    assert entry["config"] == RECIPE
    assert OmegaConf.to_container(OmegaConf.load(tmp_path / CONFIG_FILE)) == RECIPE


def test_a_second_start_keeps_the_record_of_the_first(tmp_path: Path) -> None:
    write_run_record(tmp_path, RECIPE, "cpu", [])
    first = (tmp_path / RECORD_FILE).read_text()
    write_run_record(tmp_path, {**RECIPE, "steps": 9}, "cpu", [])
    assert (tmp_path / RECORD_FILE).read_text().startswith(first)
    assert [entry["config"]["steps"] for entry in entries(tmp_path)] == [4, 9]  # type: ignore[index]


def test_a_recipe_that_cannot_be_kept_leaves_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).mkdir()
    with pytest.raises(IsADirectoryError):
        write_run_record(tmp_path, RECIPE, "cpu", [])
    assert {path.name for path in tmp_path.iterdir()} == {CONFIG_FILE, RECORD_FILE}


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
