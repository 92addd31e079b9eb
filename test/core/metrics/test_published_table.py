"""The metrics against a table of baselines measured elsewhere, over 34 real pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from psfusion_core.metrics import FUSION_METRICS

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("PSFUSION_SHARED", REPOSITORY.parent / "shared"))
TABLE = SHARED / "rgbt" / "peers_dev.md"
PAIRS = SHARED / "rgbt" / "msrs" / "dev"

pytestmark = pytest.mark.skipif(
    not (TABLE.is_file() and PAIRS.is_dir()),
    reason="needs the shared image pairs: set PSFUSION_SHARED to the folder that holds rgbt/",
)


def luma(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, path
    blue, green, red = np.moveaxis(image.astype(int), 2, 0)
    # in integers: in floating point some exact halves fall below the half, which moves MI by .001
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)


def pairs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for path in sorted((PAIRS / "vi").iterdir()):
        yield luma(path), luma(PAIRS / "ir" / path.name)


def average(visible: np.ndarray, infrared: np.ndarray) -> np.ndarray:
    return ((visible.astype(int) + infrared + 1) // 2).astype(np.uint8)


def laplacian_pyramid(visible: np.ndarray, infrared: np.ndarray) -> np.ndarray:
    """Four levels, the stronger detail of either source at each, on the mean of both bases."""
    details: list[np.ndarray] = []
    v, r = visible.astype(np.float64), infrared.astype(np.float64)
    for _ in range(4):
        smaller = [np.asarray(cv2.pyrDown(image), np.float64) for image in (v, r)]
        v, r = (
            image - cv2.pyrUp(half, dstsize=v.shape[::-1])
            for image, half in zip((v, r), smaller, strict=True)
        )
        details.append(np.where(np.abs(v) >= np.abs(r), v, r))
        v, r = smaller
    fused = (v + r) / 2
    for detail in reversed(details):
        fused = np.asarray(cv2.pyrUp(fused, dstsize=detail.shape[::-1])) + detail
    return np.floor(np.clip(fused, 0, 255) + 0.5).astype(np.uint8)


BASELINES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "visible only": lambda visible, infrared: visible,
    "average": average,
    "pixel-wise maximum": np.maximum,
    "Laplacian pyramid": laplacian_pyramid,
}


def printed(row: str) -> dict[str, str]:
    """Return the cells of one row of the table by column name."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    values = next(line for line in cells if line[0] == row)
    return dict(zip(cells[0][1:], values[1:], strict=True))


def assert_reproduced(row: str, names: list[str]) -> None:
    triples = [(BASELINES[row](*pair), *pair) for pair in pairs()]
    expected = printed(row)
    for name in names:
        mean = np.mean([FUSION_METRICS[name](*triple) for triple in triples])
        last_digit = 10.0 ** -len(expected[name].split(".")[1])
        # half a digit is rounding; a tenth more for the maximum's SCD: 1.61645 here, printed as 1.617
        assert mean == pytest.approx(float(expected[name]), abs=0.6 * last_digit), (row, name)


@pytest.mark.parametrize("row", ["average", "pixel-wise maximum"])
def test_grey_level_metrics_reproduce_the_printed_baselines(row: str) -> None:
    assert_reproduced(row, ["EN", "SD", "SF", "MI"])


@pytest.mark.parametrize("row", BASELINES)
def test_every_printed_metric_reproduces_the_printed_baselines(row: str) -> None:
    assert_reproduced(row, [name for name in FUSION_METRICS if name in printed(row)])
