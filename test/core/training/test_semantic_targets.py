"""Targets computed from the label map."""

from __future__ import annotations

import torch

from psfusion_core.training.losses.semantic_targets import binary_target, boundary_target

CAR = 1


def test_binary_target_marks_objects_and_keeps_ignored_pixels() -> None:
    assert binary_target(torch.tensor([[[0, 1, 8, 255]]])).tolist() == [[[0, 1, 1, 255]]]


def test_boundary_target_is_a_band_one_pixel_to_each_side_of_a_change_of_class() -> None:
    label = torch.zeros(1, 1, 8, dtype=torch.long)
    label[..., 4:] = CAR
    assert boundary_target(label).flatten().tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def test_nothing_is_claimed_about_boundaries_next_to_ignored_pixels() -> None:
    label = torch.tensor([[[0, 0, 0, 255, 255, 0, 0, CAR]]])
    assert boundary_target(label).flatten().tolist() == [0, 0, 255, 255, 255, 255, 1, 1]
