"""Counts of label maps, and the scores from their sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from psfusion_core.cameras.image_files import write_image
from psfusion_core.evaluation.label_counts import Truth, box_scores, count_pixels, label_scores
from psfusion_core.metrics.segmentation import class_iou, confusion_matrix, overall_accuracy
from psfusion_core.models.classes import CLASS_NAMES

CAR, PERSON = 1, 2


def test_scores_of_a_data_set_are_those_of_its_summed_confusion_matrix(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows, confusion = [], np.zeros((9, 9), np.int64)
    for number in range(3):
        true, mask = rng.integers(0, 7, (2, 20, 30)).astype(np.uint8)
        true[:4] = 255
        write_image(tmp_path / f"{number}.png", true)
        rows.append(count_pixels(mask, Truth(tmp_path / f"{number}.png", None, CLASS_NAMES)))
        confusion += confusion_matrix(mask, true, 9)
    scores = label_scores(rows, CLASS_NAMES)
    np.testing.assert_allclose(scores.iou, class_iou(confusion))
    assert np.isnan(scores.iou[7:]).all()
    assert scores.mean_iou == pytest.approx(np.nanmean(class_iou(confusion)))
    assert scores.accuracy == pytest.approx(overall_accuracy(confusion))


def test_boxes_are_found_over_a_quarter_and_pixels_count_outside_the_grown_box(tmp_path: Path) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[40:60, 40:46] = PERSON  # 30 % of the first box
    mask[60, 40:45] = PERSON  # within the box grown by a tenth
    mask[61, 40:45] = PERSON  # beyond it
    mask[10:30, 10:15] = CAR  # a quarter of the third box, not over it
    boxes = tmp_path / "a.txt"
    boxes.write_text("0 0.5 0.5 0.2 0.2\n0 0.8 0.8 0.2 0.2\n2 0.2 0.2 0.2 0.2\n")
    row = count_pixels(mask, Truth(None, boxes, CLASS_NAMES))
    scores = box_scores([row, row], CLASS_NAMES)
    assert (scores["person"].boxes, scores["person"].found, scores["person"].pixels_outside) == (4, 2, 10)
    assert (scores["car"].boxes, scores["car"].share_found, scores["car"].pixels_outside) == (2, 0.0, 0)
    assert (scores["bike"].boxes, scores["bike"].pixels_outside) == (0, 0)


def test_an_image_without_boxes_counts_its_pixels_as_outside(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    row = count_pixels(np.full((10, 10), CAR, np.uint8), Truth(None, tmp_path / "a.txt", CLASS_NAMES))
    assert box_scores([row], CLASS_NAMES)["car"].pixels_outside == 100


def test_a_label_map_of_another_size_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((10, 12), np.uint8))
    with pytest.raises(ValueError, match=r"a\.png is \(10, 12\), the label map \(10, 10\)"):
        count_pixels(np.zeros((10, 10), np.uint8), Truth(tmp_path / "a.png", None, CLASS_NAMES))


def test_labels_that_are_all_unknown_are_an_error(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((10, 10), 255, np.uint8))
    row = count_pixels(np.zeros((10, 10), np.uint8), Truth(tmp_path / "a.png", None, CLASS_NAMES))
    with pytest.raises(ValueError, match="nothing to compare with"):
        label_scores([row], CLASS_NAMES)
