"""Tasks in batches give what they give one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from psfusion_core.cameras.image_files import FilePair, write_image
from psfusion_core.distribution import Place, run_tasks
from psfusion_core.evaluation import batches
from psfusion_core.evaluation.batches import measure_in_batches
from psfusion_core.evaluation.disturbances import Disturbance
from psfusion_core.evaluation.method_results import BaselineRule, ResultFiles
from psfusion_core.evaluation.pair_measurement import (
    MeasurementKey,
    MeasurementTask,
    PlannedMeasurement,
    measure,
    start_measuring,
)
from psfusion_core.metrics import choose_metrics

METRICS = tuple(metric.name for metric in choose_metrics())


@pytest.fixture
def tasks(tmp_path: Path) -> list[MeasurementTask]:
    """Five pairs of two sizes, one of which cannot be read."""
    rng = np.random.default_rng(0)
    made = []
    for number, height in enumerate((48, 48, 40, 48, 48)):
        visible, infrared = tmp_path / f"v{number}.png", tmp_path / f"i{number}.png"
        write_image(visible, rng.integers(0, 255, (height, 64, 3), np.uint8))
        write_image(infrared, rng.integers(0, 255, (height, 64), np.uint8))
        pair, loader = FilePair(str(number), visible, infrared), BaselineRule("maximum")
        planned = PlannedMeasurement(
            MeasurementKey("m", "clean", pair.name),
            "",
            pair,
            Disturbance("noise", 0.0),
            METRICS,
            "standard",
            None,
        )
        made.append(MeasurementTask(planned, ResultFiles(visible, None) if number == 4 else loader))
    (tmp_path / "i3.png").write_bytes(b"broken")
    return made


def test_batches_agree_with_single_pairs(
    tasks: list[MeasurementTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_PIXELS", 2 * 48 * 64)
    expected = {task.planned.key: measure(task) for task in tasks}
    outcomes = list(measure_in_batches(tasks, torch.device("cpu")))
    assert sorted(outcome.planned.key for outcome in outcomes) == sorted(expected)
    for outcome in outcomes:
        single = expected[outcome.planned.key]
        assert outcome.problem == single.problem
        assert list(outcome.values) == list(single.values)
        assert outcome.values == pytest.approx(single.values, rel=1e-9, abs=1e-9)


def test_metrics_that_are_not_fast_are_measured_too(tasks: list[MeasurementTask]) -> None:
    planned = tasks[0].planned
    task = MeasurementTask(
        PlannedMeasurement(
            planned.key, "", planned.pair, planned.disturbance, ("EN", "FMI"), "standard", None
        ),
        tasks[0].loader,
    )
    [outcome] = measure_in_batches([task], torch.device("cpu"))
    assert outcome.values == pytest.approx(measure(task).values)
    assert list(outcome.values) == ["EN", "FMI"]


def test_processes_agree_with_this_one(tasks: list[MeasurementTask]) -> None:
    expected = {task.planned.key: measure(task) for task in tasks}
    outcomes = list(run_tasks(tasks, start_measuring, Place(workers=2)))
    assert {o.planned.key: o.values for o in outcomes} == {key: o.values for key, o in expected.items()}
    assert sum(outcome.problem is not None for outcome in outcomes) == 1
