"""The tables: percent with the deviation over seeds, gains paired by seed, and files that agree with them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from psfusion_core.evaluation.downstream.comparison_report import Results, markdown, percent, write_report


def counts(hits: int) -> np.ndarray:
    """Two classes of 100 pixels, of which `hits` are right in each; a third class that never occurs."""
    return np.array([[hits, 100 - hits, 0], [100 - hits, hits, 0], [0, 0, 0]], np.int64)


@pytest.fixture
def results() -> Results:
    results = Results(("road", "car", "ghost"), ["visible", "fused"])
    for seed, (visible, fused) in enumerate([(50, 60), (70, 82), (90, 94)]):
        results.add("segnext_tiny", "visible", seed, counts(visible))
        results.add("segnext_tiny", "fused", seed, counts(fused))
    return results


def test_mean_iou_leaves_out_a_class_that_never_occurs(results: Results) -> None:
    assert results.mean_iou("segnext_tiny", "visible", 0) == pytest.approx(50 / 150)


def test_gains_are_paired_by_seed(results: Results) -> None:
    gains = results.gains("segnext_tiny", "fused")
    assert gains == pytest.approx([60 / 140 - 50 / 150, 82 / 118 - 70 / 130, 94 / 106 - 90 / 110])


def test_the_table_has_a_row_for_each_input(results: Results) -> None:
    rows = [line.split(" | ") for line in markdown(results).splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[2:]] == ["| visible", "| fused"]
    assert rows[2][1:4] == ["3", "56.3 ± 24.3", "-"]
    assert rows[3][3] == "+10.7 ± 4.5"
    assert rows[3][-1] == "- |"


def test_an_unfinished_comparison_has_a_table_of_what_there_is(results: Results) -> None:
    del results.confusions["segnext_tiny", "visible", 2]
    assert "| visible | 2 |" in markdown(results)
    assert len(results.gains("segnext_tiny", "fused")) == 2


@pytest.mark.parametrize(
    ("values", "text"),
    [([0.5], "50.0"), ([0.4, 0.6], "50.0 ± 14.1"), ([float("nan")], "-"), ([0.5, float("nan")], "50.0")],
)
def test_percent_has_a_deviation_where_there_are_several_values(values: list[float], text: str) -> None:
    assert percent(values) == text


def test_files_hold_every_run(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path)
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert rows[1]["input"] == "fused"
    assert float(rows[1]["mean_iou"]) == pytest.approx(60 / 140, abs=1e-5)
    assert rows[1]["ghost"] == ""
    document = json.loads((tmp_path / "results.json").read_text())
    assert document["runs"][0]["confusion"] == counts(50).tolist()
    assert (tmp_path / "results.md").read_text() == markdown(results)
