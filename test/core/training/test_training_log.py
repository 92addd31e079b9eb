"""The table of losses and the TensorBoard events of a run, unbroken and resumed."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.inspection import draw_output
from psfusion_core.training.training_log import LOSSES_FILE, TrainingLog

pytest.importorskip("tensorboard", reason="needs pip install '.[train]'")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

Answer = tuple[Batch, FusionOutput]


def table(folder: Path) -> list[list[str]]:
    return list(csv.reader((folder / LOSSES_FILE).read_text().splitlines()))


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def curve(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(event.step, round(event.value, 4)) for event in events(folder).Scalars(name)]


@pytest.fixture
def answer() -> Answer:
    """Noise as a batch, and as what a network makes of it."""
    generator = torch.Generator().manual_seed(0)
    visible, grey = (torch.rand(2, channels, 32, 48, generator=generator) for channels in (3, 1))
    label = torch.randint(0, 9, (2, 32, 48), generator=generator)
    batch = Batch(visible, grey, label, torch.ones(2, 32, 48), torch.zeros(2, 1, 32, 48))
    semantic = torch.randn(2, 9, 32, 48, generator=generator)
    output = FusionOutput(semantic, semantic[:, :2], semantic[:, :2], grey, grey, grey)
    return batch, output


def log_steps(folder: Path, first: int, last: int, offset: float = 0.0) -> None:
    """Log the steps after `first` up to `last`, as a run does that resumes at `first`."""
    with TrainingLog(folder, first) as log:
        for step in range(first + 1, last + 1):
            log.losses(step, {"semantic": torch.tensor(step + offset), "total": 2.0 * step + offset})


def test_losses_are_rows_of_the_table_and_scalars(tmp_path: Path) -> None:
    log_steps(tmp_path, 0, 2)
    assert table(tmp_path) == [
        ["step", "semantic", "total"],
        ["1", "1.000000", "2.000000"],
        ["2", "2.000000", "4.000000"],
    ]
    assert curve(tmp_path, "loss/semantic") == [(1, 1.0), (2, 2.0)]
    assert curve(tmp_path, "loss/total") == [(1, 2.0), (2, 4.0)]


def test_other_scalars_go_to_tensorboard_alone(tmp_path: Path) -> None:
    with TrainingLog(tmp_path) as log:
        log.scalars(3, {"learning_rate": 0.125, "validation/mean_iou": torch.tensor(0.5)})
    assert curve(tmp_path, "learning_rate") == [(3, 0.125)]
    assert curve(tmp_path, "validation/mean_iou") == [(3, 0.5)]
    assert not (tmp_path / LOSSES_FILE).exists()


def test_a_resumed_run_replaces_what_was_logged_after_its_checkpoint(tmp_path: Path) -> None:
    log_steps(tmp_path, 0, 5)
    log_steps(tmp_path, 3, 6, offset=0.5)
    assert [row[:2] for row in table(tmp_path)[1:]] == [
        ["1", "1.000000"], ["2", "2.000000"], ["3", "3.000000"],
        ["4", "4.500000"], ["5", "5.500000"], ["6", "6.500000"],
    ]  # fmt: skip
    assert curve(tmp_path, "loss/semantic") == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.5), (5, 5.5), (6, 6.5)]


def test_a_run_killed_before_its_first_checkpoint_starts_its_logs_anew(tmp_path: Path) -> None:
    log_steps(tmp_path, 0, 3)
    log_steps(tmp_path, 0, 1, offset=0.5)
    assert table(tmp_path)[1:] == [["1", "1.500000", "2.500000"]]
    assert curve(tmp_path, "loss/semantic") == [(1, 1.5)]


def test_a_row_that_a_kill_cut_short_is_dropped(tmp_path: Path) -> None:
    (tmp_path / LOSSES_FILE).write_text("step,semantic,total\n1,1.000000,2.000000\n2,2.0")
    log_steps(tmp_path, 2, 3)
    assert [row[0] for row in table(tmp_path)] == ["step", "1", "3"]


def test_a_term_that_comes_later_gets_a_column(tmp_path: Path) -> None:
    with TrainingLog(tmp_path) as log:
        log.losses(1, {"gradient": 1.0})
        log.losses(2, {"semantic": 2.0, "gradient": 3.0})
        log.losses(3, {"semantic": 4.0})
    assert table(tmp_path) == [
        ["step", "gradient", "semantic"],
        ["1", "1.000000", ""],
        ["2", "3.000000", "2.000000"],
        ["3", "", "4.000000"],
    ]


def test_flushed_events_are_on_disk_while_the_run_goes_on(tmp_path: Path, answer: Answer) -> None:
    with TrainingLog(tmp_path) as log:
        log.pictures(1, *answer)  # takes the writer's thread a while
        log.scalars(1, {"learning_rate": 0.5})
        log.flush()
        (file,) = tmp_path.glob("events.*")
        flushed = file.read_bytes()
    assert file.read_bytes() == flushed
    assert curve(tmp_path, "learning_rate") == [(1, 0.5)]


def test_pictures_are_what_draw_output_draws(tmp_path: Path, answer: Answer) -> None:
    with TrainingLog(tmp_path) as log:
        log.pictures(5, *answer)
    (event,) = events(tmp_path).Images("fusion")
    shown = cv2.imdecode(np.frombuffer(event.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert event.step == 5
    np.testing.assert_array_equal(shown[..., ::-1], draw_output(*answer))


def test_without_tensorboard_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[train\]'"):
        TrainingLog(tmp_path)
