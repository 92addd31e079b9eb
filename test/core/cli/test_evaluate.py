"""``psfusion evaluate`` on real files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from psfusion_core.cli import main
from psfusion_core.images import write_image
from psfusion_core.metrics import FUSION_METRICS, evaluate_triple


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    for folder in ("vi", "ir", "fused"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            write_image(tmp_path / folder / f"{name}.png", rng.integers(0, 255, (48, 64), np.uint8))
    return {folder: tmp_path / folder for folder in ("vi", "ir", "fused")}


def command(folders: dict[str, Path], *fused: str) -> list[str]:
    sources = ["--visible", str(folders["vi"]), "--infrared", str(folders["ir"])]
    return ["evaluate", *sources, "--workers", "1", *(word for f in fused for word in ("--fused", f))]


def test_prints_the_mean_of_every_metric_for_every_method(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folders, f"ours={folders['fused']}", f"visible={folders['vi']}")) == 0
    header, _, ours, visible = capsys.readouterr().out.strip().splitlines()
    assert [cell.strip() for cell in header.split("|")[2:-1]] == list(FUSION_METRICS)
    assert visible.startswith("| visible |")

    def grey(folder: str, name: str) -> np.ndarray:
        return cv2.imread(str(folders[folder] / f"{name}.png"), cv2.IMREAD_GRAYSCALE)

    rows = [evaluate_triple(*(grey(folder, name) for folder in ("fused", "vi", "ir"))) for name in "ab"]
    expected = [f"{np.mean([row[metric] for row in rows]):.3f}" for metric in FUSION_METRICS]
    assert [cell.strip() for cell in ours.split("|")[2:-1]] == expected


def test_a_method_that_lacks_a_pair_is_named(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (folders["fused"] / "b.png").unlink()
    assert main(command(folders, f"ours={folders['fused']}")) == 2
    assert "no image for 1 pairs, such as b" in capsys.readouterr().err


def test_a_method_without_a_name_is_refused(
    folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folders, str(folders["fused"]))) == 2
    assert "expected NAME=DIR" in capsys.readouterr().err
