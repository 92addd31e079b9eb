"""``psfusion evaluate`` on real files: tables, what is skipped, what is kept, how it ends."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import psutil
import pytest

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cli import main
from psfusion_core.metrics import PROTOCOLS, choose_metrics, evaluate_triple

HEIGHT, WIDTH = 48, 64


def noise(*shape: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pairs a, b and c, grey, and images of a method, all different."""
    for seed, folder in enumerate(("vi", "ir", "fused")):
        (tmp_path / folder).mkdir()
        for number, name in enumerate("abc"):
            write_image(tmp_path / folder / f"{name}.png", noise(HEIGHT, WIDTH, seed=10 * seed + number))
    return tmp_path


def command(root: Path, *words: str) -> list[str]:
    sources = ["--visible", str(root / "vi"), "--infrared", str(root / "ir")]
    return ["evaluate", *sources, "--workers", "1", *words]


def measured(root: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """Rows of per_image.csv by method, condition and pair; a row may not come twice."""
    with (root / "out/per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    keyed = {(row["method"], row["condition"], row["pair"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def table(text: str) -> dict[str, list[str]]:
    """Cells of the first Markdown table by the first cell of the row."""
    rows = [line.split("|")[1:-1] for line in text.split("\n\n")[0].splitlines()]
    return {row[0].strip(): [cell.strip(" *") for cell in row[1:]] for row in rows}


def grey(root: Path, folder: str, name: str) -> npt.NDArray[np.uint8]:
    return cv2.imread(str(root / folder / f"{name}.png"), cv2.IMREAD_GRAYSCALE)


def test_prints_the_mean_of_every_fast_metric_for_every_method_in_their_order(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--baseline", "average", "--fused", f"ours={root / 'fused'}", "--baseline", "visible")
    assert main(command(root, *words, "--metrics", "fast")) == 0
    rows = table(capsys.readouterr().out)
    assert list(rows) == ["", "---", "average", "ours", "visible"]
    names = [metric.name for metric in choose_metrics()]
    assert [head.split(" ")[0] for head in rows[""][:-1]] == names
    triples = [[grey(root, folder, name) for folder in ("fused", "vi", "ir")] for name in "abc"]
    values = [evaluate_triple(*triple) for triple in triples]
    for name, cell in zip(names, rows["ours"], strict=False):
        number = float(cell.replace("<ins>", "").split("<")[0].split(" ")[0])
        assert number == pytest.approx(np.mean([row[name] for row in values]), rel=1e-3, abs=6e-4)


def test_writes_tables_curves_and_sheet_and_the_values_of_every_image(root: Path) -> None:
    words = ("--fused", f"ours={root / 'fused'}", "--baseline", "maximum", "--output", str(root / "out"))
    assert main(command(root, *words, "--metrics", "Qabf", "EN")) == 0
    assert sorted(path.name for path in (root / "out").iterdir()) == [
        "contact_sheet.png", "cumulative_curves.png", "per_image.csv", "table.md", "table.tex",
    ]  # fmt: skip
    rows = measured(root)
    assert list(rows) == [(m, "clean", p) for m in ("maximum", "ours") for p in "abc"]
    expected = evaluate_triple(*(grey(root, folder, "b") for folder in ("fused", "vi", "ir")), ["EN", "Qabf"])
    assert {name: float(rows["ours", "clean", "b"][name]) for name in expected} == expected


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


def test_grey_images_in_three_channels_and_16_bit_infrared_are_measured(root: Path) -> None:
    write_image(root / "ir/a.png", np.dstack([grey(root, "ir", "a")] * 3))
    write_image(root / "ir/b.png", grey(root, "ir", "b").astype(np.uint16) * 16 + 7000)
    assert main(command(root, "--baseline", "average", "--metrics", "EN")) == 0


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


def test_a_rerun_measures_only_what_is_new_or_has_changed(root: Path) -> None:
    words = command(root, "--fused", f"ours={root / 'fused'}", "--output", str(root / "out"), "--metrics")
    assert main([*words, "EN"]) == 0
    path = root / "out/per_image.csv"
    true = {pair: row["EN"] for (_, _, pair), row in measured(root).items()}
    path.write_text(path.read_text().replace(true["a"], "1.5").replace(true["b"], "2.5"))
    write_image(root / "fused/b.png", np.full((HEIGHT, WIDTH), 9, np.uint8))
    assert main([*words, "EN", "SD"]) == 0
    rows = measured(root)
    assert rows["ours", "clean", "a"]["EN"] == "1.5", "measured anew without need"
    assert rows["ours", "clean", "a"]["SD"] != "", "a metric that was asked for later is missing"
    assert float(rows["ours", "clean", "b"]["EN"]) == 0.0, "a changed image was not measured anew"
    assert rows["ours", "clean", "c"]["EN"] == true["c"]


def test_another_protocol_is_measured_anew(root: Path) -> None:
    words = command(root, "--baseline", "average", "--output", str(root / "out"), "--metrics", "MSE")
    values = []
    for protocol in ("standard", "tang2022"):
        assert main([*words, "--protocol", protocol]) == 0
        values.append(float(measured(root)["average", "clean", "a"]["MSE"]))
    average = np.asarray((grey(root, "vi", "a").astype(int) + grey(root, "ir", "a") + 1) // 2, np.uint8)
    metric = PROTOCOLS["tang2022"]["MSE"]
    assert values[1] == metric(average, grey(root, "vi", "a"), grey(root, "ir", "a")) != values[0]


@pytest.fixture
def long_run(tmp_path: Path) -> list[str]:
    """Words of a run that takes some seconds: 40 pairs, two processes."""
    for seed, folder in enumerate(("vi", "ir")):
        (tmp_path / folder).mkdir()
        for number in range(40):
            write_image(tmp_path / folder / f"{number:02}.png", noise(240, 320, seed=100 * seed + number))
    words = ("--baseline", "average", "--output", str(tmp_path / "out"), "--metrics", "VIF", "Qabf")
    return command(tmp_path, *words, "--workers", "2")


@contextmanager
def started(words: list[str], path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, once three pairs of it are finished."""
    command_line = [sys.executable, "-m", "psfusion_core.cli", *words]
    with subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        while not path.exists() or path.read_text().count("\n") < 4:
            assert run.poll() is None, "ended too early"
            time.sleep(0.005)
        yield run


def test_a_killed_run_goes_on_where_it_was_and_leaves_no_process_behind(
    tmp_path: Path, long_run: list[str]
) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
    finished = path.read_text().splitlines()[1:]
    assert 3 <= len(finished) < 40
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    path.write_text(path.read_text() + "average,clean,39,0123")  # what a kill in mid-write leaves
    assert main(long_run) == 0
    assert len(measured(tmp_path)) == 40
    assert set(finished) <= set(path.read_text().splitlines()), "finished work was done again or lost"


def test_an_interrupted_run_ends_with_130_and_says_so_in_one_line(
    tmp_path: Path, long_run: list[str]
) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        os.killpg(run.pid, signal.SIGINT)  # as Ctrl-C in a terminal
        _, error = run.communicate()
    assert run.returncode == 130
    assert error.splitlines()[-1] == "psfusion evaluate: interrupted"
    assert "Traceback" not in error
    assert 3 <= len(measured(tmp_path)) < 40


def test_where_processes_die_their_work_is_done_by_others(tmp_path: Path, long_run: list[str]) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        for child in psutil.Process(run.pid).children():
            if any("spawn_main" in word for word in child.cmdline()):
                child.kill()
        run.communicate()
    assert run.returncode == 0
    assert len(measured(tmp_path)) == 40


@pytest.mark.slow
def test_on_ray_it_measures_what_it_measures_here(root: Path) -> None:
    tables = []
    for place in ("local", "ray"):
        output = root / place
        words = ["--baseline", "average", "--output", str(output), "--on", place, "--workers", "2"]
        assert main(command(root, *words)) == 0
        tables.append(sorted((output / "per_image.csv").read_text().splitlines()))
    assert tables[0] == tables[1]


@pytest.mark.usefixtures("exported_network")
def test_a_network_run_here_gives_what_its_files_give(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuse = ["fuse", "--device", "cpu", "--visible", str(root / "vi"), "--infrared", str(root / "ir")]
    assert main([*fuse, "--output", str(root / "done")]) == 0
    (root / "boxes").mkdir()
    for name in "abc":
        (root / f"boxes/{name}.txt").write_text("0 0.5 0.5 0.4 0.4\n2 0.2 0.2 0.2 0.2\n")
    capsys.readouterr()
    files = ("--fused", f"files={root / 'done/fused'}", "--masks", f"files={root / 'done/mask'}")
    truth = ("--labels", str(root / "done/mask"), "--boxes", str(root / "boxes"))
    assert (
        main(command(root, "--model", "here=psfusion_lite", *files, *truth, "--output", str(root / "out")))
        == 0
    )
    rows = measured(root)
    for name in "abc":
        here, there = (rows[method, "clean", name] for method in ("here", "files"))
        assert {**here, "method": "", "fingerprint": ""} == {**there, "method": "", "fingerprint": ""}
    output = capsys.readouterr().out
    labels = output.split("\n\n")[2].splitlines()
    assert [line.split("|")[1].strip() for line in labels[2:]] == ["here", "files"]
    assert labels[2].rstrip(" |").endswith("1.000 | 1.000")
    assert "person found (of 3)" in output


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


def test_metrics_can_be_named_beside_their_groups(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(root, "--baseline", "average", "--metrics", "FMI", "fast")) == 0
    heads = [head.split(" ")[0] for head in table(capsys.readouterr().out)[""]]
    assert heads == [metric.name for metric in choose_metrics(["FMI", *(m.name for m in choose_metrics())])]


def test_robustness_disturbs_what_is_fused_but_not_what_it_is_measured_against(root: Path) -> None:
    words = ("--baseline", "infrared", "--baseline", "visible", "--fused", f"ours={root / 'fused'}")
    assert (
        main(command(root, *words, "--robustness", "--metrics", "MSE", "SCD", "--output", str(root / "out")))
        == 0
    )
    with (root / "out/robustness.csv").open(newline="") as file:
        rows = {
            (r["method"], r["disturbance"], float(r["level"])): float(r["MSE"]) for r in csv.DictReader(file)
        }
    assert {method for method, _, _ in rows} == {"infrared", "visible"}
    assert len({value for (method, _, _), value in rows.items() if method == "visible"}) == 1
    noise_levels = [rows["infrared", "noise", level] for level in (0.0, 5.0, 10.0, 20.0, 40.0)]
    assert noise_levels == sorted(noise_levels)
    assert len(set(noise_levels)) == 5
    assert (
        rows["infrared", "noise", 0.0] == rows["infrared", "shift", 0.0] == rows["infrared", "contrast", 1.0]
    )
    assert (root / "out/robustness.png").stat().st_size > 0
    assert {condition for method, condition, _ in measured(root) if method == "ours"} == {"clean"}


@pytest.mark.usefixtures("exported_network")
def test_robustness_holds_the_label_maps_of_a_network_against_the_truth(root: Path) -> None:
    (root / "boxes").mkdir()
    for name in "abc":
        (root / f"boxes/{name}.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    words = ("--model", "psfusion_lite", "--baseline", "visible", "--boxes", str(root / "boxes"))
    assert main(command(root, *words, "--robustness", "--metrics", "EN", "--output", str(root / "out"))) == 0
    with (root / "out/robustness.csv").open(newline="") as file:
        found = {
            (row["method"], row["disturbance"], row["level"]): row["boxes found"]
            for row in csv.DictReader(file)
        }
    row = measured(root)["psfusion_lite", "noise 40", "a"]
    assert row["person boxes"] == "1.0"
    total = sum(float(measured(root)["psfusion_lite", "noise 40", name]["person found"]) for name in "abc")
    assert float(found["psfusion_lite", "noise", "40"]) == pytest.approx(total / 3)
    assert found["visible", "noise", "40"] == ""


def test_starting_does_not_load_matplotlib() -> None:
    code = (
        "import sys; from psfusion_core.cli import build_parser; build_parser('evaluate');"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
