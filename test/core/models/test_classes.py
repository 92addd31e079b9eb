"""The palette."""

from __future__ import annotations

import numpy as np
import pytest

from psfusion_core.models.classes import CLASS_NAMES, PALETTE, color_table, colorize


def test_every_class_has_a_colour_of_its_own() -> None:
    assert len(CLASS_NAMES) == len(PALETTE) == len(np.unique(PALETTE, axis=0)) == 9


def test_colorize_paints_each_index_and_leaves_unknown_ones_black() -> None:
    painted = colorize(np.array([[1, 2], [8, 255]], np.uint8))
    np.testing.assert_array_equal(painted, [[PALETTE[1], PALETTE[2]], [PALETTE[8], (0, 0, 0)]])


def test_the_table_of_colours_that_all_share_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        color_table()[1] = 0
