"""``psfusion evaluate`` when an input or option is bad: what is skipped, what ends the run, and how."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from small_evaluation import HEIGHT, WIDTH, command, grey, measured, noise, table

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cli import main
from psfusion_core.metrics import evaluate_triple


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("visible unreadable", "skipped b: {root}/vi/b.png cannot be read"),
        ("infrared unreadable", "skipped b: {root}/ir/b.png cannot be read"),
        ("fused unreadable", "skipped b, ours: {root}/fused/b.png cannot be read"),
        ("infrared of another size", "skipped b: the visible image is 48 x 64 and the infrared 24 x 32"),
        ("fused of another size", "skipped b, ours: the fused image is 24 x 32, the sources 48 x 64"),
        ("no fused image", "skipped b, ours: {root}/fused has no image of that name"),
        ("no infrared image", "skipped {root}/vi/b.png: it has no partner"),
        ("infrared in colour", "skipped b: {root}/ir/b.png is in colour; expected grey"),
        ("visible of 16 bit", "skipped b: {root}/vi/b.png has uint16 pixels; expected 8 bit"),
        ("fused of 16 bit", "skipped b, ours: {root}/fused/b.png has uint16 pixels; expected 8 bit"),
        ("too small", "skipped b, ours: "),
    ],
)
def test_a_bad_input_is_one_line_and_the_rest_is_measured(
    root: Path, capsys: pytest.CaptureFixture[str], damage: str, line: str
) -> None:
    what, _, how = damage.partition(" ")
    folder = {"visible": "vi", "infrared": "ir"}.get(what, "fused") if what != "no" else how.split(" ")[0]
    path = root / {"infrared": "ir"}.get(folder, folder) / "b.png"
    if how == "unreadable":
        path.write_bytes(b"broken")
    elif how == "of another size":
        write_image(path, noise(24, 32))
    elif how == "in colour":
        write_image(path, noise(HEIGHT, WIDTH, 3))
    elif how == "of 16 bit":
        write_image(path, np.full((HEIGHT, WIDTH), 3000, np.uint16))
    elif what == "no":
        path.unlink()
    else:
        for small in ("vi", "ir", "fused"):
            write_image(root / small / "b.png", noise(5, 7))
    words = ("--fused", f"ours={root / 'fused'}", "--output", str(root / "out"), "--metrics", "EN", "VIF")
    assert main(command(root, *words)) == 1
    skipped = [found for found in capsys.readouterr().err.splitlines() if "skipped" in found]
    assert len(skipped) == 1
    assert skipped[0].startswith(line.format(root=root))
    assert {pair for _, _, pair in measured(root)} == {"a", "c"}


def test_a_problem_of_the_sources_is_told_once_for_all_methods(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "ir/b.png").write_bytes(b"broken")
    assert main(command(root, "--baseline", "average", "--baseline", "visible", "--metrics", "EN")) == 1
    assert capsys.readouterr().err.count("skipped") == 1


def test_means_leave_out_what_one_method_lacks(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "fused/b.png").unlink()
    words = ("--fused", f"ours={root / 'fused'}", "--baseline", "visible", "--metrics", "EN")
    assert main(command(root, *words)) == 1
    output = capsys.readouterr().out
    assert "Means over 2 pairs" in output
    both = [evaluate_triple(*[grey(root, "vi", name)] * 3, ["EN"])["EN"] for name in "ac"]
    assert f"{np.mean(both):.3f}" in table(output)["visible"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "add --fused, --model, --baseline or --masks"),
        (["--fused", "fused"], "expected NAME=DIR"),
        (["--fused", "ours=empty"], "no images in"),
        (["--fused", "ours=nowhere"], "no such file or folder"),
        (["--fused", "ours=."], "no images in ., but in fused, ir, vi: name that folder"),
        (["--fused", "a=fused", "--fused", "a=vi"], "two methods are named 'a'"),
        (["--baseline", "median"], "unknown baseline 'median'"),
        (["--model", "psfusion_huge"], "unknown model"),
        (["--model", "psfusion_lite:nowhere.safetensors"], "no weights at nowhere.safetensors"),
        (["--baseline", "average", "--metrics", "EN", "BEAUTY"], "BEAUTY"),
        (["--baseline", "average", "--workers", "0"], "--workers of at least 1"),
        (["--baseline", "average", "--robustness"], "needs --output"),
        (["--baseline", "average", "--output", "vi"], "vi holds inputs"),
        (["--fused", "a=fused", "--output", "fused"], "fused holds inputs"),
        (["--masks", "a=vi", "--labels", "vi", "--classes", "road", "road"], "has a name twice"),
        (["--fused", "a=fused", "--robustness", "--output", "out"], "needs a --model or --baseline"),
        (["--baseline", "average", "--labels", "vi"], "add --masks or --model"),
        (["--masks", "a=vi"], "need --labels or --boxes"),
        (["--masks", "a=vi", "--boxes", "vi"], "no files of boxes"),
        (["--baseline", "average", "--device", "cuda:99"], "device 'cuda:99' cannot be used"),
    ],
)
def test_errors_are_one_line_with_status_2(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    (root / "empty").mkdir()
    monkeypatch.chdir(root)
    assert main(command(root, *words)) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert message in error[0]


def test_a_missing_matplotlib_is_told_before_anything_is_measured(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(command(root, "--baseline", "average", "--output", str(root / "out"))) == 2
    assert "figures need pip install '.[evaluate]'" in capsys.readouterr().err
    assert not (root / "out").exists()
    assert main(command(root, "--baseline", "average", "--metrics", "EN")) == 0


def test_an_empty_folder_of_sources_is_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (root / "ir").iterdir():
        path.unlink()
    assert main(command(root, "--baseline", "average")) == 2
    assert f"no images in {root / 'ir'}" in capsys.readouterr().err


def test_nothing_measured_for_a_method_is_an_error_that_keeps_the_others_work(root: Path) -> None:
    (root / "other").mkdir()
    write_image(root / "other/x.png", noise(HEIGHT, WIDTH))
    words = ("--fused", f"ours={root / 'other'}", "--baseline", "visible", "--output", str(root / "out"))
    assert main(command(root, *words, "--metrics", "EN")) == 2
    assert len(measured(root)) == 3


def test_a_bad_file_of_boxes_costs_only_what_is_held_against_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "masks").mkdir()
    (root / "boxes").mkdir()
    for name in "abc":
        write_image(root / f"masks/{name}.png", np.zeros((HEIGHT, WIDTH), np.uint8))
        (root / f"boxes/{name}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    (root / "boxes/b.txt").write_text("0 320 240 10 10\n")
    words = (f"ours={root / 'fused'}", "--masks", f"ours={root / 'masks'}", "--boxes", str(root / "boxes"))
    assert main(command(root, "--fused", *words, "--metrics", "EN")) == 1
    output = capsys.readouterr()
    assert "Means over 3 pairs" in output.out
    assert "Over 2 pairs. Found" in output.out
    [line] = [line for line in output.err.splitlines() if line.startswith("skipped")]
    assert line.startswith(f"skipped b, ours: {root}/boxes/b.txt: expected fractions")
