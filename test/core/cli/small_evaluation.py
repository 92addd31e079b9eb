"""The command line and the tables of an evaluation of a few small images."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

HEIGHT, WIDTH = 48, 64


def noise(*shape: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8)


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
