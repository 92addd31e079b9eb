"""Draws loss and mean IoU over the steps, with a column for each segmenter and a line for each input."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.downstream.segmentation_run import TEST_FILE
from psfusion_core.training.training_log import LOSSES_FILE

PANELS = (
    (LOSSES_FILE, "cross_entropy", "training loss over hard pixels"),
    (TEST_FILE, "mean_iou", "mean IoU of the test pairs"),
)
SMOOTHING = 5
"""Number of logged losses in the running mean."""


def draw_curves(output: Path, segmenters: Sequence[str], inputs: Sequence[str], seeds: Sequence[int]) -> None:
    """Write ``curves.png``: means over the seeds, with their range shaded.

    Args:
        output: The folder of the comparison. All its runs must be finished.
    """
    figure = Figure(figsize=(5 * len(segmenters), 7), layout="constrained")
    axes = figure.subplots(len(PANELS), len(segmenters), sharex="col", sharey="row", squeeze=False)
    for column, segmenter in enumerate(segmenters):
        for row, (file, key, title) in enumerate(PANELS):
            panel = axes[row, column]
            for input_name in inputs:
                runs = [
                    read_curve(output / segmenter / input_name / f"seed_{seed}" / file, key) for seed in seeds
                ]
                steps, values = runs[0][0], np.stack([values for _, values in runs])
                if file == LOSSES_FILE:
                    steps, values = smooth(steps), smooth(values)
                (line,) = panel.plot(
                    steps, values.mean(axis=0), marker="." if len(steps) < 20 else "", label=input_name
                )
                panel.fill_between(
                    steps, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.15
                )
            panel.grid(alpha=0.3)
            if row == 0:
                panel.set_title(segmenter)
            if column == 0:
                panel.set_ylabel(title)
        axes[-1, column].set_xlabel("step")
    axes[0, 0].legend()
    with replacing(output / "curves.png") as temporary:
        figure.savefig(temporary, dpi=110)


def read_curve(path: Path, key: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(row["step"]) for row in rows]), np.array([float(row[key]) for row in rows])


def smooth(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Running mean over ``SMOOTHING`` values of the last axis. A shorter curve stays unchanged."""
    if values.shape[-1] < SMOOTHING:
        return values
    return np.lib.stride_tricks.sliding_window_view(values, SMOOTHING, axis=-1).mean(axis=-1)
