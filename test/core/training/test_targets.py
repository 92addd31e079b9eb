"""Targets derived from labels, boxes and infrared."""

from __future__ import annotations

import numpy as np
import torch

from psfusion_core.training.targets import binary_target, boundary_target, refine_pseudo_label

PERSON, CAR = 2, 1


def test_binary_target_marks_objects_and_keeps_ignored_pixels() -> None:
    assert binary_target(torch.tensor([[[0, 1, 8, 255]]])).tolist() == [[[0, 1, 1, 255]]]


def test_boundary_target_is_a_band_one_pixel_to_each_side_of_a_change_of_class() -> None:
    label = torch.zeros(1, 1, 8, dtype=torch.long)
    label[..., 4:] = CAR
    assert boundary_target(label).flatten().tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_nothing_is_claimed_about_boundaries_next_to_ignored_pixels() -> None:
    label = torch.tensor([[[0, 0, 0, 255, 255, 0, 0, CAR]]])
    assert boundary_target(label).flatten().tolist() == [0, 0, 255, 255, 255, 255, 1, 1]


def scene() -> tuple[np.ndarray, np.ndarray]:
    infrared = np.full((40, 40), 20, np.uint8)
    infrared[10:30, 12:18] = 200
    return np.zeros((40, 40), np.uint8), infrared


def test_warm_unlabelled_pixels_of_a_persons_box_become_person() -> None:
    label, infrared = scene()
    box = np.array([[0, 15 / 40, 20 / 40, 10 / 40, 20 / 40]])
    refined = refine_pseudo_label(label, infrared, box)
    np.testing.assert_array_equal(refined == PERSON, infrared == 200)
    assert not (refined == 255).any()


def test_a_box_whose_class_was_hardly_found_is_ignored_where_unlabelled() -> None:
    label, infrared = scene()
    label[10:12, 10:20] = CAR
    refined = refine_pseudo_label(label, infrared, np.array([[2, 15 / 40, 20 / 40, 10 / 40, 20 / 40]]))
    assert (refined[12:30, 10:20] == 255).all()
    assert (refined[10:12, 10:20] == CAR).all()
    assert (refined[:10] == 0).all()


def test_a_boxed_class_far_from_all_its_boxes_is_ignored_and_other_classes_stay() -> None:
    label, infrared = scene()
    label[0:4, 30:36], label[36:40, 0:4], label[12:28, 12:18] = PERSON, 7, PERSON
    refined = refine_pseudo_label(label, infrared, np.array([[0, 15 / 40, 20 / 40, 10 / 40, 20 / 40]]))
    assert (refined[0:4, 30:36] == 255).all()
    assert (refined[36:40, 0:4] == 7).all()
    assert (refined[12:28, 12:18] == PERSON).all()
