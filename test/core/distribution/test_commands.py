"""``psfusion fuse`` and ``psfusion bag`` at other places: the same files as here."""

from __future__ import annotations

from pathlib import Path

import pytest

from psfusion_core.cameras.image_files import read_visible
from psfusion_core.cli import main

ELSEWHERE = [
    pytest.param(["--workers", "2"], id="cores"),
    pytest.param(["--on", "ray", "--workers", "2"], id="ray", marks=pytest.mark.slow),
]
DRIVE = ["--seconds", "1", "--rate", "6", "--size", "80x64"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # a machine has fewer cores than there are workers in tests


@pytest.mark.parametrize("place", ELSEWHERE)
def test_fuse_gives_the_same_pictures_and_names_the_same_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: list[str]
) -> None:
    assert main(["simulate", *DRIVE, "--format", "images", "--output", str(tmp_path / "drive")]) == 0
    (tmp_path / "drive/ir/000003.png").write_bytes(b"broken")
    folders = ["--visible", str(tmp_path / "drive/vi"), "--infrared", str(tmp_path / "drive/ir")]
    command = ["fuse", *folders, "--engine", "torch", "--device", "cpu"]
    assert main([*command, "--output", str(tmp_path / "here")]) == 1
    assert main([*command, "--output", str(tmp_path / "there"), *place]) == 1
    output = capsys.readouterr()
    assert output.out.count("5 fused, 1 skipped") == 2
    assert output.err.count("skipped 000003") == 2
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert read_visible(tmp_path / "there/fused/000000.png").shape == (64, 80, 3)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_bags_give_the_same_bags(tmp_path: Path, place: list[str]) -> None:
    bags = []
    for seed in ("1", "2"):
        bags.append(str(tmp_path / f"drive{seed}"))
        assert main(["simulate", *DRIVE, "--seed", seed, "--infrared-bits", "16", "--output", bags[-1]]) == 0
    command = ["bag", *bags, "--set", "engine=torch", "--set", "device=cpu"]
    for folder, words in (("here", []), ("there", place)):
        arguments = list(command)
        arguments.insert(3, str(tmp_path / folder))
        assert main([*arguments, *words]) == 0
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
