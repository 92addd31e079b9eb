"""Metrics of a label map against the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

LabelMap = npt.NDArray[np.integer[Any]]


def confusion_matrix(
    prediction: LabelMap, truth: LabelMap, num_classes: int, ignore_index: int = 255
) -> npt.NDArray[np.int64]:
    """Count the pixels of each true class (row) by the class predicted for them (column).

    Matrices of several images add up to that of the data set.

    Args:
        prediction: Class indices 0 to num_classes - 1, of any integer dtype and any shape.
        truth: Class indices of the same shape; pixels equal to `ignore_index` are not counted.
        num_classes: Number of classes.
        ignore_index: The value in the truth for "not labelled".

    Returns:
        (num_classes, num_classes) int64.

    Raises:
        ValueError: Shapes differ, an array is empty or not of integers, or a class index is out of range.
    """
    if num_classes < 1:
        raise ValueError(f"confusion_matrix: num_classes must be at least 1, got {num_classes}")
    for name, labels in (("prediction", prediction), ("truth", truth)):
        if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
            found = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
            raise ValueError(
                f"confusion_matrix: {name} must be an integer NumPy array of class indices, got {found}"
            )
        if labels.size == 0:
            raise ValueError(f"confusion_matrix: {name} is empty, got shape {labels.shape}")
    if prediction.shape != truth.shape:
        raise ValueError(
            f"confusion_matrix: prediction is {prediction.shape} but truth is {truth.shape};"
            " resize the prediction (nearest neighbour) first"
        )
    counted = truth != ignore_index
    predicted, true = prediction[counted].astype(np.int64), truth[counted].astype(np.int64)
    for name, labels in (("prediction", predicted), ("truth", true)):
        if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
            raise ValueError(
                f"confusion_matrix: {name} must hold classes 0 to {num_classes - 1} (truth also"
                f" {ignore_index} for ignored), got {labels.min()} to {labels.max()}"
            )
    counts = np.bincount(true * num_classes + predicted, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def class_iou(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return IoU = TP / (TP + FP + FN) per class from a confusion matrix, NaN for a class that never occurs.

    Source: Everingham et al., Int. J. Computer Vision 111 (2015) 98-136.

    Args:
        confusion: (N, N) counts, true class by predicted class.

    Returns:
        (N,) float64 in [0, 1] or NaN.
    """
    hits = np.diagonal(confusion).astype(np.float64)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
    return np.where(union > 0, hits / np.where(union > 0, union, 1), np.nan)


def class_accuracy(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return accuracy = TP / (TP + FN) per class, NaN for a class that does not occur in the truth.

    Source: Long, Shelhamer, Darrell, CVPR (2015) 3431-3440, sec. 5.

    Args:
        confusion: (N, N) counts, true class by predicted class.

    Returns:
        (N,) float64 in [0, 1] or NaN.
    """
    hits, true = np.diagonal(confusion).astype(np.float64), confusion.sum(axis=1)
    return np.where(true > 0, hits / np.where(true > 0, true, 1), np.nan)


def mean_class_accuracy(confusion: npt.NDArray[np.int64]) -> float:
    """Mean of `class_accuracy` over the classes that occur in the truth, in [0, 1].

    Raises:
        ValueError: The matrix counts no pixel.
    """
    _check_counted("mean_class_accuracy", confusion)
    return float(np.nanmean(class_accuracy(confusion)))


def overall_accuracy(confusion: npt.NDArray[np.int64]) -> float:
    """Share of the counted pixels whose class was predicted, in [0, 1].

    Source: Long, Shelhamer, Darrell, CVPR (2015) 3431-3440, sec. 5, "pixel accuracy".

    Raises:
        ValueError: The matrix counts no pixel.
    """
    _check_counted("overall_accuracy", confusion)
    return float(np.trace(confusion) / confusion.sum())


def _check_counted(metric: str, confusion: npt.NDArray[np.int64]) -> None:
    if not confusion.any():
        raise ValueError(f"{metric}: the confusion matrix counts no pixel; is all of the truth ignored?")


def mean_iou(prediction: LabelMap, truth: LabelMap, num_classes: int, ignore_index: int = 255) -> float:
    """Mean of `class_iou` over the classes that occur in the truth or the prediction, in [0, 1].

    For a data set, sum the `confusion_matrix` of all images and average its `class_iou` instead.

    Args:
        prediction: Class indices 0 to num_classes - 1, of any integer dtype and any shape.
        truth: Class indices of the same shape; pixels equal to `ignore_index` are not counted.
        num_classes: Number of classes.
        ignore_index: The value in the truth for "not labelled".

    Raises:
        ValueError: As `confusion_matrix`, or no pixel of the truth is labelled.
    """
    confusion = confusion_matrix(prediction, truth, num_classes, ignore_index)
    if not confusion.any():
        raise ValueError(
            f"mean_iou: every pixel of truth is ignore_index {ignore_index}, nothing to compare with"
        )
    return float(np.nanmean(class_iou(confusion)))
