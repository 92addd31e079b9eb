"""Compares label maps with the truth: counts for one image, and scores of a data set from summed counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import ImageError, read_label
from psfusion_core.metrics.box_agreement import BoxAgreement, box_agreement
from psfusion_core.metrics.box_files import BOX_CLASSES, box_slices, read_boxes
from psfusion_core.metrics.segmentation import confusion_matrix

HITS, PREDICTED, TRUE = "hits", "predicted", "true"
BOXES, FOUND, OUTSIDE = "boxes", "found", "outside"

GROWN = 0.1
"""Boxes grow by this share of their size before pixels count as outside, because people draw them tight."""


@dataclass(frozen=True)
class Truth:
    """The true labels of one image.

    Attributes:
        label: File of class indices, 255 where unknown.
        boxes: Text file of boxes, one per line: class, centre x, centre y, width, height (`read_boxes`).
        classes: Class names by index.
    """

    label: Path | None
    boxes: Path | None
    classes: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        return [file for file in (self.label, self.boxes) if file is not None]

    @property
    def columns(self) -> list[str]:
        """Names of the counts that `count_pixels` returns."""
        columns = label_columns(self.classes) if self.label is not None else []
        return columns + (box_columns(self.classes) if self.boxes is not None else [])


class LabelScores(NamedTuple):
    """Scores against the true label maps of a data set.

    Attributes:
        iou: IoU of each class; NaN for a class that never occurs.
        mean_iou: Mean IoU over the classes that occur.
        accuracy: Share of the labelled pixels that have the correct class.
    """

    iou: npt.NDArray[np.float64]
    mean_iou: float
    accuracy: float


def label_columns(classes: Iterable[str]) -> list[str]:
    """Return the names of the counts against a label map."""
    return [f"{name} {count}" for name in classes for count in (HITS, PREDICTED, TRUE)]


def box_columns(classes: Iterable[str]) -> list[str]:
    """Return the names of the counts against boxes, which exist only for the classes of boxes."""
    names = list(classes)
    boxed = [names[index] for index in sorted(BOX_CLASSES.values())]
    return [f"{name} {count}" for name in boxed for count in (BOXES, FOUND, OUTSIDE)]


def count_pixels(mask: npt.NDArray[np.uint8], truth: Truth) -> dict[str, float]:
    """Count the pixels of one image for `label_scores` and `box_scores`.

    Args:
        mask: (H, W) uint8 class indices.
        truth: The true labels of the image.

    Raises:
        ValueError: The truth has another size, has a class without a name, or is malformed.
        OSError: A file cannot be read.
    """
    counts: dict[str, float] = {}
    if truth.label is not None:
        label = read_label(truth.label)
        if label.shape != mask.shape:
            raise ImageError(f"{truth.label} is {label.shape}, the label map {mask.shape}; expected one size")
        confusion = confusion_matrix(mask, label, len(truth.classes))
        table = np.stack([np.diagonal(confusion), confusion.sum(axis=0), confusion.sum(axis=1)], axis=1)
        counts.update(zip(label_columns(truth.classes), table.astype(float).ravel().tolist(), strict=True))
    if truth.boxes is not None:
        counts.update(_count_boxes(mask, truth.boxes, truth.classes))
    return counts


def _count_boxes(mask: npt.NDArray[np.uint8], path: Path, classes: tuple[str, ...]) -> dict[str, float]:
    boxes = read_boxes(path)
    indices = np.array([BOX_CLASSES[int(box[0])] for box in boxes], np.int64)

    def in_pixels(grow: float) -> npt.NDArray[np.int64]:
        slices = [box_slices(box, mask.shape[0], mask.shape[1], grow) for box in boxes]
        corners = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in slices]
        return np.column_stack([indices, np.array(corners, np.int64).reshape(-1, 4)])

    reported = sorted(BOX_CLASSES.values())
    exact, grown = (box_agreement(mask, in_pixels(grow), reported) for grow in (0.0, GROWN))
    values = [(exact[i].boxes, exact[i].found, grown[i].pixels_outside) for i in reported]
    return dict(zip(box_columns(classes), np.array(values, np.float64).ravel().tolist(), strict=True))


def label_scores(rows: Iterable[Mapping[str, float]], classes: tuple[str, ...]) -> LabelScores:
    """Compute the scores of a data set from the counts of its images.

    Raises:
        ValueError: No pixel is labelled.
    """
    counts = np.array([[row[c] for c in label_columns(classes)] for row in rows]).sum(axis=0)
    hits, predicted, true = counts.reshape(len(classes), 3).T
    if not true.any():
        raise ValueError("every pixel of the true label maps is 255 (unknown): nothing to compare with")
    union = predicted + true - hits
    iou = np.where(union > 0, hits / np.where(union > 0, union, 1.0), np.nan)
    return LabelScores(iou, float(np.nanmean(iou)), float(hits.sum() / true.sum()))


def box_scores(rows: Iterable[Mapping[str, float]], classes: tuple[str, ...]) -> dict[str, BoxAgreement]:
    """Compute the agreement with the boxes of a data set by class, from the counts of its images."""
    columns = box_columns(classes)
    counts = np.array([[row[c] for c in columns] for row in rows]).sum(axis=0).astype(int).reshape(-1, 3)
    names = [column.removesuffix(f" {BOXES}") for column in columns[::3]]
    return {name: BoxAgreement(*map(int, row)) for name, row in zip(names, counts, strict=True)}
