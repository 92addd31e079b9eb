"""Panels side by side and rows stacked."""

from __future__ import annotations

import numpy as np
import pytest

from psfusion_core.fusion.contact_sheet import CAPTION_HEIGHT, GAP, class_legend, side_by_side, stack
from psfusion_core.models.classes import CLASS_NAMES, PALETTE


def flat(height: int, width: int, color: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def test_panels_show_their_images_in_order_below_the_captions() -> None:
    red, green = (200, 0, 0), (0, 200, 0)
    row = side_by_side({"first": flat(48, 64, red), "second": flat(48, 64, green)}, width=32, height=24)
    assert (row[CAPTION_HEIGHT : CAPTION_HEIGHT + 24, :32] == red).all()
    assert (row[CAPTION_HEIGHT : CAPTION_HEIGHT + 24, 32 + GAP : 64 + GAP] == green).all()


def test_captions_are_drawn_above_their_panels() -> None:
    row = side_by_side({"A": flat(24, 32, (0, 0, 0)), "": flat(24, 32, (0, 0, 0))}, width=32, height=24)
    assert row[:CAPTION_HEIGHT, :32].max() > 200
    assert np.ptp(row[:CAPTION_HEIGHT, 32 + GAP :]) == 0


@pytest.mark.parametrize("shape", [(48, 64), (20, 64), (64, 20), (7, 500)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_rows_have_one_even_size_whatever_the_images(shape: tuple[int, int], count: int) -> None:
    panels = {str(number): flat(*shape, (9, 9, 9)) for number in range(count)}
    reference = {str(number): flat(48, 64, (9, 9, 9)) for number in range(count)}
    row = side_by_side(panels, width=33, height=25)
    assert row.shape == side_by_side(reference, width=33, height=25).shape
    assert row.shape[0] % 2 == row.shape[1] % 2 == 0


def test_images_keep_their_aspect() -> None:
    row = side_by_side({"": flat(100, 200, (250, 0, 0))}, width=40, height=40)
    shown = (row[CAPTION_HEIGHT:] == (250, 0, 0)).all(axis=-1)
    assert shown.any(axis=1).sum() == 20
    assert shown.any(axis=0).sum() == 40


def test_16_bit_infrared_is_stretched_over_the_grey_levels() -> None:
    counts = np.tile(np.linspace(20_000, 24_000, 64).astype(np.uint16), (48, 1))
    shown = side_by_side({"": counts}, width=64, height=48)[CAPTION_HEIGHT:]
    assert shown.min() < 10
    assert shown.max() > 245


def test_stack_keeps_every_row_whole_and_pads_the_narrow_ones() -> None:
    wide, narrow = flat(10, 30, (1, 2, 3)), flat(6, 20, (4, 5, 6))
    sheet = stack([wide, narrow])
    assert sheet.shape == (10 + GAP + 6, 30, 3)
    assert (sheet[:10] == wide).all()
    assert (sheet[10 + GAP :, :20] == narrow).all()


def shown_classes(legend: np.ndarray) -> set[int]:
    """Return the classes whose colour fills a square of the legend."""
    return {label for label, color in enumerate(PALETTE) if (legend == color).all(axis=-1).sum() >= 100}


def test_the_legend_has_the_colours_of_the_classes_that_it_is_given_and_of_no_other() -> None:
    legend = class_legend([2, 1, 0, 2, 255], CLASS_NAMES, 300)
    assert legend.shape == (CAPTION_HEIGHT, 300, 3)
    assert shown_classes(legend) == {1, 2}
    assert (class_legend([2], CLASS_NAMES, 300) != class_legend([2], ["", "", "x"], 300)).any()


def test_the_legend_takes_more_lines_where_it_is_narrow_and_none_without_classes() -> None:
    legend = class_legend(range(9), CLASS_NAMES, 220)
    assert legend.shape[1] == 220
    assert legend.shape[0] > 2 * CAPTION_HEIGHT
    assert shown_classes(legend) == set(range(1, 9))
    assert class_legend([0], CLASS_NAMES, 220).shape == (0, 220, 3)
