"""Confusion matrix, IoU and accuracy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.metrics import (
    class_accuracy,
    class_iou,
    confusion_matrix,
    mean_class_accuracy,
    mean_iou,
    overall_accuracy,
)

CLASSES = 4
shapes = array_shapes(min_dims=2, max_dims=2, max_side=8)
label_pairs = shapes.flatmap(
    lambda shape: st.tuples(
        arrays(np.uint8, shape, elements=st.integers(0, CLASSES - 1)),
        arrays(np.uint8, shape, elements=st.sampled_from([*range(CLASSES), 255])),
    )
)


def test_confusion_matrix_has_true_classes_in_rows_and_predicted_ones_in_columns() -> None:
    prediction = np.array([[0, 1, 1], [2, 2, 0]], np.uint8)
    truth = np.array([[0, 0, 1], [2, 1, 255]], np.uint8)
    assert confusion_matrix(prediction, truth, 3).tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_mean_iou_of_six_pixels_by_hand() -> None:
    # class 0: 1 of 2; class 1: 1 of 3; class 2: 1 of 2; class 3 never occurs
    prediction = np.array([[0, 1, 1], [2, 2, 0]], np.uint8)
    truth = np.array([[0, 0, 1], [2, 1, 255]], np.uint8)
    assert mean_iou(prediction, truth, num_classes=4) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3, abs=1e-12)


def test_a_class_that_never_occurs_has_no_iou() -> None:
    assert np.isnan(class_iou(np.array([[3, 0], [0, 0]]))).tolist() == [False, True]


def test_a_class_that_is_only_predicted_counts_as_zero() -> None:
    assert mean_iou(np.array([[1, 0]]), np.array([[0, 0]]), num_classes=2) == pytest.approx((1 / 2 + 0) / 2)


@settings(deadline=None)
@given(label_pairs)
def test_class_iou_equals_intersection_over_union_of_pixel_sets(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = pair
    counted = truth != 255
    ious = class_iou(confusion_matrix(prediction, truth, CLASSES))
    for label in range(CLASSES):
        predicted = set(np.flatnonzero(counted & (prediction == label)))
        true = set(np.flatnonzero(truth == label))
        if predicted | true:
            assert ious[label] == pytest.approx(len(predicted & true) / len(predicted | true), abs=1e-12)
        else:
            assert np.isnan(ious[label])


def test_accuracies_of_six_pixels_by_hand() -> None:
    # class 0: 1 of 2 true pixels found; class 1: 1 of 2; class 2: 1 of 1; class 3 is only predicted
    confusion = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    assert class_accuracy(confusion).tolist()[:3] == [1 / 2, 1 / 2, 1.0]
    assert np.isnan(class_accuracy(confusion)[3])
    assert mean_class_accuracy(confusion) == pytest.approx(2 / 3, abs=1e-12)
    assert overall_accuracy(confusion) == pytest.approx(3 / 5, abs=1e-12)


@settings(deadline=None)
@given(label_pairs)
def test_overall_accuracy_is_that_of_classes_weighted_by_their_pixels(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    prediction, truth = pair
    counted = truth != 255
    if not counted.any():
        return
    confusion = confusion_matrix(prediction, truth, CLASSES)
    assert overall_accuracy(confusion) == pytest.approx(np.mean(prediction[counted] == truth[counted]))
    weighted = np.nansum(class_accuracy(confusion) * confusion.sum(axis=1)) / counted.sum()
    assert weighted == pytest.approx(overall_accuracy(confusion))
    ious = class_iou(confusion)
    assert np.all((class_accuracy(confusion) >= ious) | np.isnan(class_accuracy(confusion)))


@pytest.mark.parametrize("accuracy", [overall_accuracy, mean_class_accuracy])
def test_accuracy_of_no_pixels_is_refused(accuracy: Callable[[np.ndarray], float]) -> None:
    with pytest.raises(ValueError, match=f"^{accuracy.__name__}: the confusion matrix counts no pixel"):
        accuracy(np.zeros((3, 3), np.int64))


@settings(deadline=None)
@given(label_pairs)
def test_matrices_of_two_halves_add_up_to_that_of_the_whole(pair: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, truth = (np.vstack([labels, labels[::-1]]) for labels in pair)
    half = len(truth) // 2
    top = confusion_matrix(prediction[:half], truth[:half], CLASSES)
    bottom = confusion_matrix(prediction[half:], truth[half:], CLASSES)
    whole = confusion_matrix(prediction, truth, CLASSES)
    assert (top + bottom).tolist() == whole.tolist()
    assert whole.sum() == (truth != 255).sum()


@settings(deadline=None)
@given(label_pairs, st.permutations(range(CLASSES)))
def test_mean_iou_does_not_depend_on_the_numbering_of_the_classes(
    pair: tuple[np.ndarray, np.ndarray], order: list[int]
) -> None:
    prediction, truth = pair
    truth = np.where(truth == 255, 0, truth)
    renumber = np.array(order)
    expected = mean_iou(prediction, truth, CLASSES)
    assert mean_iou(renumber[prediction], renumber[truth], CLASSES) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("prediction", "truth", "message"),
    [
        (np.zeros((2, 2), int), np.zeros((2, 3), int), r"prediction is \(2, 2\) but truth is \(2, 3\)"),
        (np.zeros((2, 2), float), np.zeros((2, 2), int), "prediction must be an integer .* got float64"),
        (np.zeros((2, 2), int), [[0, 0], [0, 0]], "truth must be an integer .* got list"),
        (np.zeros((0, 2), int), np.zeros((0, 2), int), r"prediction is empty, got shape \(0, 2\)"),
        (np.full((2, 2), 3), np.zeros((2, 2), int), "prediction must hold classes 0 to 2 .* got 3 to 3"),
        (np.zeros((2, 2), int), np.full((2, 2), -1), "truth must hold classes 0 to 2 .* got -1 to -1"),
        (np.zeros((2, 2), int), np.full((2, 2), 255), "every pixel of truth is ignore_index 255"),
    ],
)
def test_bad_label_maps_are_refused_in_one_line(
    prediction: np.ndarray, truth: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        mean_iou(prediction, truth, num_classes=3)
    assert "\n" not in str(refused.value)


def test_fewer_than_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="num_classes must be at least 1, got 0"):
        mean_iou(np.zeros((2, 2), int), np.zeros((2, 2), int), num_classes=0)
