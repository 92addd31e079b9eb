"""Label maps corrected by boxes that people drew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from psfusion_core.metrics.box_files import BIKE, CAR, PERSON, BoxError, read_boxes
from psfusion_core.training.data.box_labels import correct_by_boxes, salient_mask

CAR_BOX = [2, 0.5, 0.5, 0.5, 0.4]
PERSON_BOX = [0, 15 / 80, 20 / 80, 10 / 80, 20 / 80]
COLD = np.full((80, 80), 20, np.uint8)


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 5)


def inside_car_box() -> np.ndarray:
    inside = np.zeros((80, 80), bool)
    inside[24:56, 20:60] = True
    return inside


def test_a_well_covered_box_keeps_the_predicted_shape_at_full_weight() -> None:
    predicted = np.zeros((80, 80), np.uint8)
    predicted[26:54, 22:58] = CAR
    label, weight = correct_by_boxes(predicted, COLD, boxes(CAR_BOX))
    np.testing.assert_array_equal(label, predicted)
    assert (weight[label == CAR] >= 64).all()


def test_a_hardly_covered_box_is_filled_at_less_weight_and_its_corners_are_ignored() -> None:
    predicted = np.zeros((80, 80), np.uint8)
    predicted[40:44, 30:40] = CAR
    label, weight = correct_by_boxes(predicted, COLD, boxes(CAR_BOX))
    inside = inside_car_box()
    assert 0.85 < (label[inside] == CAR).mean() < 1.0
    assert label[24, 20] == label[55, 59] == 255
    assert weight[24, 20] == 0
    assert (label[~inside] == 0).all()
    assert weight[30, 50] == pytest.approx(0.75 * weight[41, 35], abs=1)


def test_a_person_is_where_the_box_is_warm() -> None:
    infrared = COLD.copy()
    infrared[10:30, 12:18] = 200
    label, _ = correct_by_boxes(np.zeros((80, 80), np.uint8), infrared, boxes(PERSON_BOX))
    np.testing.assert_array_equal(label == PERSON, infrared == 200)
    assert not (label == 255).any()


def test_a_person_in_front_of_a_car_stays_a_person() -> None:
    infrared = COLD.copy()
    infrared[30:50, 36:44] = 200
    person = [0, 0.5, 0.5, 12 / 80, 24 / 80]
    label, _ = correct_by_boxes(np.zeros((80, 80), np.uint8), infrared, boxes(person, CAR_BOX))
    assert (label[infrared == 200] == PERSON).all()
    assert (label[30:50, 24:34] == CAR).all()


def test_a_boxed_class_outside_its_boxes_becomes_background() -> None:
    predicted = np.zeros((80, 80), np.uint8)
    predicted[0:6, 70:80] = CAR
    label, weight = correct_by_boxes(predicted, COLD, boxes(CAR_BOX))
    assert (label[0:6, 70:80] == 0).all()
    assert (weight[0:6, 70:80] == 64).all()


def test_classes_without_boxes_stay_and_count_half() -> None:
    predicted = np.zeros((80, 80), np.uint8)
    predicted[70:80, 0:10] = 7
    label, weight = correct_by_boxes(predicted, COLD, boxes(CAR_BOX))
    assert (label[70:80, 0:10] == 7).all()
    assert (weight[70:80, 0:10] == 32).all()


def test_an_image_that_nobody_annotated_is_left_as_predicted() -> None:
    predicted = np.zeros((80, 80), np.uint8)
    predicted[0:6, 70:80] = CAR
    label, weight = correct_by_boxes(predicted, COLD, boxes())
    np.testing.assert_array_equal(label, predicted)
    assert (weight == 64).all()


def test_pixels_of_small_boxes_count_more_but_at_most_three_times() -> None:
    tiny, small = [1, 0.1, 0.1, 4 / 80, 4 / 80], [1, 0.5, 0.5, 32 / 80, 32 / 80]
    predicted = np.zeros((80, 80), np.uint8)
    predicted[6:10, 6:10] = predicted[24:56, 24:56] = BIKE
    _, weight = correct_by_boxes(predicted, COLD, boxes(tiny, small))
    assert weight[8, 8] == 3 * 64
    assert weight[40, 40] == 2 * 64
    assert weight[70, 70] == 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.5 0.5 0.1\n", "five numbers"),
        ("0 0.5 0.5 0.1 many\n", "five numbers"),
        ("7 0.5 0.5 0.1 0.1\n", "class 0 .person., 1 .bicycle. or 2 .car."),
        ("0 320 240 50 80\n", "fractions"),
    ],
)
def test_a_malformed_file_of_boxes_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.txt").write_text("2 0.5 0.5 0.2 0.2\n" + text)
    with pytest.raises(BoxError, match=rf"a\.txt: expected.*{message}"):
        read_boxes(tmp_path / "a.txt")


def test_an_empty_file_of_boxes_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n")
    assert read_boxes(tmp_path / "a.txt").shape == (0, 5)


def test_the_salient_mask_is_the_infrared_of_warm_objects() -> None:
    label = np.zeros((4, 4), np.uint8)
    label[0, :2], label[3, :2] = PERSON, CAR
    infrared = np.full((4, 4), 50, np.uint8)
    infrared[0, 0], infrared[1, 1], infrared[3, 0] = 220, 250, 90
    expected = np.zeros((4, 4), np.uint8)
    expected[0, 0], expected[3, 0] = 220, 90
    np.testing.assert_array_equal(salient_mask(label, infrared, "msrs"), expected)


def test_salience_follows_the_names_of_another_label_set() -> None:
    label = np.array([[1, 4], [0, 0]], np.uint8)  # a fire extinguisher and a survivor
    infrared = np.array([[200, 220], [10, 20]], np.uint8)
    np.testing.assert_array_equal(salient_mask(label, infrared, "pst900"), [[0, 220], [0, 0]])


def test_without_objects_nothing_is_salient() -> None:
    assert not salient_mask(np.zeros((4, 4), np.uint8), COLD[:4, :4], "msrs").any()
