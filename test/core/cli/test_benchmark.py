"""``psfusion benchmark``: every stage measured, ratios to the baseline, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from psfusion_core.benchmark import machine
from psfusion_core.benchmark.machine import count_cost
from psfusion_core.benchmark.stages import STAGES, summarise_times
from psfusion_core.cli import main

SMALL = ["benchmark", "--engines", "plain", "torch", "--sizes", "64x40", "--runs", "2", "--device", "cpu"]


def test_comparison_reports_all_stages_and_ratios_to_the_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "PROBE_RUNS", 1)
    assert main([*SMALL, "--compare", "--json", str(tmp_path / "out.json")]) == 0
    result = json.loads((tmp_path / "out.json").read_text())
    plain, prepared = result["rows"]
    assert plain["times_as_fast"] == 1.0
    ratio = plain["median_ms"]["total"] / prepared["median_ms"]["total"]
    assert prepared["times_as_fast"] == pytest.approx(ratio, abs=0.006)
    for row in (plain, prepared):
        assert set(row["median_ms"]) == {*STAGES, "total"}
        assert row["gflop_per_second"] > 0
    table = capsys.readouterr().out
    assert "| psfusion_lite | plain fp32 | 64x40 |" in table
    assert "| psfusion_lite | torch fp32 | 64x40 |" in table
    assert "GFLOP at 64x40" in table
    assert [(row["width"], row["height"], row["precision"]) for row in result["rows"]] == 2 * [
        (64, 40, "fp32")
    ]
    assert result["machine"]["processor"] in table


def test_each_configuration_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    assert main([*SMALL, "--json", str(tmp_path / "out.json")]) == 0
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["engine"] for row in rows] == ["plain", "torch"]
    assert all(row["peak_mib"] > 50 for row in rows)


def test_summary_holds_medians_and_rates() -> None:
    samples = [[0.0, 1.0, 0.0, network, 2.0, 0.0, 0.0] for network in (10.0, 20.0, 90.0)]
    summary = summarise_times(samples)
    assert summary["median_ms"]["network"] == 20.0
    assert summary["median_ms"]["total"] == 23.0
    assert summary["p95_ms"]["network"] == pytest.approx(83.0)
    assert summary["frames_per_second"] == pytest.approx(1000 / 23, abs=0.01)


def test_the_node_is_not_measured_without_ros(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["benchmark", "--ros"]) == 2
    assert "--ros needs rclpy" in capsys.readouterr().err


def test_cost_of_the_published_network_is_the_published_one() -> None:
    parameters, gflop = count_cost("psfusion", 64, 64)
    assert parameters == pytest.approx(45.9, abs=0.05)
    assert gflop == pytest.approx(count_cost("psfusion", 64, 128)[1] / 2, rel=0.05)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--precisions", "fp64"], "unknown precision 'fp64': choose auto, fp32, fp16, bf16"),
        (["--runs", "0"], "expected at least 1"),
        (["--json", "nowhere/out.json"], "there is no folder nowhere"),
    ],
)
def test_refusals_say_what_to_give(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", *words]) == 2
    assert message in capsys.readouterr().err
