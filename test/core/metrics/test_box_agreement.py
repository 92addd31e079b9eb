"""Agreement of label maps with boxes."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.metrics import BoxAgreement, box_agreement

CAR, PERSON = 1, 2
box = st.tuples(st.sampled_from([CAR, PERSON]), *[st.integers(-3, 12)] * 4)


def test_a_box_is_found_where_more_than_a_quarter_of_its_pixels_carries_its_class() -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[0, :2] = CAR  # 2 of the 8 pixels of the first box: a quarter exactly
    labels[2, :3] = CAR  # 3 of the 8 of the second
    boxes = np.array([[CAR, 0, 0, 4, 2], [CAR, 0, 2, 4, 4]])
    assert box_agreement(labels, boxes, [CAR]) == {CAR: BoxAgreement(boxes=2, found=1, pixels_outside=0)}


def test_pixels_outside_every_box_of_their_class_are_counted_though_another_class_has_a_box_there() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[:2, :2] = CAR
    labels[3, 3] = CAR
    boxes = np.array([[PERSON, 0, 0, 2, 2], [CAR, 0, 0, 1, 2]])
    counts = box_agreement(labels, boxes, [CAR, PERSON])
    assert counts[CAR] == BoxAgreement(boxes=1, found=1, pixels_outside=3)
    assert counts[PERSON] == BoxAgreement(boxes=1, found=0, pixels_outside=0)
    assert counts[CAR].share_found == 1.0
    assert counts[PERSON].share_found == 0.0


def test_a_class_without_boxes_has_no_share_and_all_its_pixels_outside() -> None:
    counts = box_agreement(np.full((3, 5), PERSON), np.zeros((0, 5), int), [CAR, PERSON])
    assert counts[PERSON] == BoxAgreement(boxes=0, found=0, pixels_outside=15)
    assert isnan(counts[PERSON].share_found)
    assert counts[CAR] == BoxAgreement()


def test_parts_beyond_the_image_do_not_count_nor_boxes_wholly_there() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[:, 3] = CAR
    boxes = np.array([[CAR, 3, -2, 9, 9], [CAR, 5, 0, 9, 4], [CAR, -6, -6, -1, -1], [CAR, 2, 2, 2, 4]])
    assert box_agreement(labels, boxes, [CAR])[CAR] == BoxAgreement(boxes=1, found=1, pixels_outside=0)


def test_counts_of_images_add_up() -> None:
    total = sum([BoxAgreement(3, 1, 10), BoxAgreement(1, 1, 5)], BoxAgreement())
    assert total == BoxAgreement(boxes=4, found=2, pixels_outside=15)
    assert total.share_found == 0.5


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(box, max_size=4))
def test_agreement_equals_sets_of_pixels(seed: int, boxes: list[tuple[int, ...]]) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, (7, 9))
    counts = box_agreement(labels, np.array(boxes, int).reshape(-1, 5), [CAR, PERSON])
    for index in (CAR, PERSON):
        carries = {(y, x) for y in range(7) for x in range(9) if labels[y, x] == index}
        covered: set[tuple[int, int]] = set()
        expected = []
        for label, x0, y0, x1, y1 in boxes:
            pixels = {(y, x) for y in range(7) for x in range(9) if y0 <= y < y1 and x0 <= x < x1}
            if label == index and pixels:
                expected.append(4 * len(pixels & carries) > len(pixels))
                covered |= pixels
        assert counts[index] == BoxAgreement(len(expected), sum(expected), len(carries - covered))


@pytest.mark.parametrize(
    ("labels", "boxes", "message"),
    [
        (
            np.zeros((4, 4)),
            np.zeros((0, 5), int),
            r"labels must be an \(H, W\) integer .* got \(4, 4\) float64",
        ),
        (
            np.zeros((1, 4, 4), int),
            np.zeros((0, 5), int),
            r"labels must be an \(H, W\) .* got \(1, 4, 4\) int64",
        ),
        (
            np.zeros((4, 4), int),
            np.zeros((2, 5)),
            r"boxes must be an \(N, 5\) integer .* got \(2, 5\) float64",
        ),
        (np.zeros((4, 4), int), [[1, 0, 0, 2, 2]], r"boxes must be an \(N, 5\) integer .* got list"),
        (
            np.zeros((4, 4), int),
            np.zeros((2, 4), int),
            r"5 columns class, x0, y0, x1, y1, got shape \(2, 4\)",
        ),
        (
            np.zeros((4, 4), int),
            np.array([[7, 0, 0, 2, 2]]),
            r"boxes have class 7, which is not among \[1, 2\]",
        ),
    ],
)
def test_bad_arguments_are_refused_in_one_line(labels: np.ndarray, boxes: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        box_agreement(labels, boxes, [CAR, PERSON])
    assert "\n" not in str(refused.value)
