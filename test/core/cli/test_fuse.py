"""``psfusion fuse`` on real files: what it writes, what it skips, how it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from psfusion_core.cameras.image_files import read_label, read_visible, write_image
from psfusion_core.cli import main
from psfusion_core.fusion.compose import overlay

pytestmark = pytest.mark.usefixtures("exported_network")


def make_pairs(root: Path, **sizes: tuple[int, int]) -> list[str]:
    rng = np.random.default_rng(0)
    for folder in ("vi", "ir"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, (height, width) in sizes.items():
        write_image(root / "vi" / f"{name}.png", rng.integers(0, 255, (height, width, 3), np.uint8))
        write_image(root / "ir" / f"{name}.png", rng.integers(0, 255, (height, width), np.uint8))
    folders = [str(root / "vi"), str(root / "ir"), str(root / "out")]
    return [
        "fuse",
        "--device",
        "cpu",
        "--visible",
        folders[0],
        "--infrared",
        folders[1],
        "--output",
        folders[2],
    ]


def test_writes_fused_mask_and_overlay_for_every_pair(tmp_path: Path) -> None:
    arguments = make_pairs(tmp_path, a=(40, 50), b=(33, 64))
    assert main(arguments) == 0
    for name, size in (("a", (40, 50)), ("b", (33, 64))):
        fused = read_visible(tmp_path / "out/fused" / f"{name}.png")
        mask = read_label(tmp_path / "out/mask" / f"{name}.png")
        assert fused.shape[:2] == mask.shape == size
        painted = read_visible(tmp_path / "out/overlay" / f"{name}.png")
        np.testing.assert_array_equal(painted, overlay(fused, mask))


def test_single_files_need_not_share_a_name(tmp_path: Path) -> None:
    make_pairs(tmp_path, a=(40, 50), b=(40, 50))
    out = tmp_path / "single"
    visible, infrared = str(tmp_path / "vi/a.png"), str(tmp_path / "ir/b.png")
    command = ["fuse", "--device", "cpu", "--visible", visible, "--infrared", infrared, "--output", str(out)]
    assert main(command) == 0
    assert [path.name for path in (out / "fused").iterdir()] == ["a.png"]


def test_bad_pairs_are_named_skipped_and_counted_and_the_rest_is_fused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = make_pairs(tmp_path, good=(40, 50), damaged=(40, 50), mismatched=(40, 50))
    (tmp_path / "ir/damaged.png").write_bytes(b"broken")
    write_image(tmp_path / "ir/mismatched.png", np.zeros((20, 25), np.uint8))
    write_image(tmp_path / "vi/lonely.png", np.zeros((40, 50, 3), np.uint8))
    assert main(arguments) == 1
    output = capsys.readouterr()
    assert "1 fused, 3 skipped" in output.out
    for name in ("damaged", "mismatched", "lonely"):
        assert name in output.err
    assert [path.name for path in (tmp_path / "out/fused").iterdir()] == ["good.png"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--visible", "nowhere"], "no such file or folder: nowhere"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--model", "unknown"], "choose one of"),
        (["--opacity", "3"], "expected 0 to 1"),
    ],
)
def test_errors_are_one_line_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    assert main(make_pairs(tmp_path, a=(40, 50)) + change) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


def test_inputs_are_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_pairs(tmp_path, a=(40, 50))
    (tmp_path / "vi").rename(tmp_path / "fused")
    before = (tmp_path / "fused/a.png").read_bytes()
    folders = [
        "--visible",
        str(tmp_path / "fused"),
        "--infrared",
        str(tmp_path / "ir"),
        "--output",
        str(tmp_path),
    ]
    assert main(["fuse", *folders]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "fused/a.png").read_bytes() == before


def test_an_output_that_is_a_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = make_pairs(tmp_path, a=(40, 50))
    (tmp_path / "out").write_text("in the way")
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) <= 2  # the engine's line, then the error
