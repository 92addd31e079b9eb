"""``psfusion evaluate`` on real files: its tables, figures and metrics."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_evaluation import command, grey, measured, table

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cli import main
from psfusion_core.metrics import choose_metrics, evaluate_triple


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


def test_grey_images_in_three_channels_and_16_bit_infrared_are_measured(root: Path) -> None:
    write_image(root / "ir/a.png", np.dstack([grey(root, "ir", "a")] * 3))
    write_image(root / "ir/b.png", grey(root, "ir", "b").astype(np.uint16) * 16 + 7000)
    assert main(command(root, "--baseline", "average", "--metrics", "EN")) == 0


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
