"""Writes the tables of a comparison: CSV and JSON of every run, Markdown of mean and deviation over seeds."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from psfusion_core.base.atomic_file import replacing
from psfusion_core.metrics import class_iou

ABSENT = "-"
"""Shown instead of the IoU of a class that occurs neither in the truth nor in a prediction."""


@dataclass
class Results:
    """The confusion matrices of the finished runs of a comparison.

    Attributes:
        classes: The class names by index.
        inputs: The names of the inputs. The first one is the reference for the others.
        confusions: Counts of pixels, true class by predicted class, for each (segmenter, input, seed).
    """

    classes: tuple[str, ...]
    inputs: list[str]
    confusions: dict[tuple[str, str, int], npt.NDArray[np.int64]] = field(default_factory=dict)

    def add(self, segmenter: str, input_name: str, seed: int, confusion: npt.NDArray[np.int64]) -> None:
        self.confusions[segmenter, input_name, seed] = confusion

    def segmenters(self) -> list[str]:
        return list(dict.fromkeys(segmenter for segmenter, _, _ in self.confusions))

    def seeds(self, segmenter: str, input_name: str) -> list[int]:
        """Seeds of the finished runs, in ascending order."""
        return sorted(
            seed for name, entry, seed in self.confusions if (name, entry) == (segmenter, input_name)
        )

    def ious(self, segmenter: str, input_name: str, seed: int) -> npt.NDArray[np.float64]:
        """IoU by class; NaN for a class that occurs nowhere."""
        return class_iou(self.confusions[segmenter, input_name, seed])

    def mean_iou(self, segmenter: str, input_name: str, seed: int) -> float:
        return float(np.nanmean(self.ious(segmenter, input_name, seed)))

    def gains(self, segmenter: str, input_name: str) -> list[float]:
        """Gain in mean IoU over the first input, seed by seed, so from the same weights and crops."""
        common = set(self.seeds(segmenter, input_name)) & set(self.seeds(segmenter, self.inputs[0]))
        return [
            self.mean_iou(segmenter, input_name, seed) - self.mean_iou(segmenter, self.inputs[0], seed)
            for seed in sorted(common)
        ]


def write_report(results: Results, folder: Path) -> None:
    """Write ``results.csv``, ``results.json`` and ``results.md``, each whole or not at all."""
    with replacing(folder / "results.csv") as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["segmenter", "input", "seed", "mean_iou", *results.classes])
        for key in results.confusions:
            ious = [f"{iou:.5f}" if np.isfinite(iou) else "" for iou in results.ious(*key)]
            writer.writerow([*key, f"{results.mean_iou(*key):.5f}", *ious])
    entries = [
        {"segmenter": segmenter, "input": input_name, "seed": seed, "confusion": confusion.tolist()}
        for (segmenter, input_name, seed), confusion in results.confusions.items()
    ]
    with replacing(folder / "results.json") as temporary:
        document = {"classes": results.classes, "inputs": results.inputs, "runs": entries}
        temporary.write_text(json.dumps(document), encoding="utf-8")
    with replacing(folder / "results.md") as temporary:
        temporary.write_text(markdown(results), encoding="utf-8")


def markdown(results: Results) -> str:
    """Format a table for each segmenter with a row for each input: IoU in percent, mean and deviation."""
    tables = []
    for segmenter in results.segmenters():
        header = ["", "seeds", "mean IoU", f"beyond {results.inputs[0]}", *results.classes]
        rows = [header, ["---"] * len(header)]
        for input_name in results.inputs:
            seeds = results.seeds(segmenter, input_name)
            if not seeds:
                continue
            means = [results.mean_iou(segmenter, input_name, seed) for seed in seeds]
            ious = np.array([results.ious(segmenter, input_name, seed) for seed in seeds])
            first = input_name == results.inputs[0]
            gain = ABSENT if first else percent(results.gains(segmenter, input_name), signed=True)
            rows.append([input_name, str(len(seeds)), percent(means), gain, *map(percent, ious.T)])
        tables.append(f"**{segmenter}**\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
    return "\n".join(tables)


def percent(values: Sequence[float] | npt.NDArray[np.float64], signed: bool = False) -> str:
    """Format the mean and, for several values, the sample standard deviation in percent: "61.3 ± 0.8"."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)] * 100.0
    if not len(known):
        return ABSENT
    mean = f"{known.mean():+.1f}" if signed else f"{known.mean():.1f}"
    return mean if len(known) == 1 else f"{mean} ± {known.std(ddof=1):.1f}"
