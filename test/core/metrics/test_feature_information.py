"""Feature mutual information FMI."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.metrics import fmi

SPOT = np.zeros((3, 3), np.uint8)
SPOT[1, 1] = 200


def test_flat_images_are_equal_or_share_nothing() -> None:
    flat = np.full((4, 5), 9, np.uint8)
    assert fmi(flat, flat, flat + 1) == pytest.approx(0.5, abs=1e-12)
    assert fmi(flat, flat + 1, flat + 2) == pytest.approx(0.0, abs=1e-12)


def test_two_spots_at_one_place_have_no_entropy_and_so_nothing_to_share() -> None:
    # both distributions are the one point 5 of 1 .. 9, H = 0; only the equal windows count, as 1
    assert fmi(SPOT, SPOT // 2, SPOT) == 0.5


def test_a_window_against_a_flat_one_is_independent() -> None:
    assert fmi(SPOT, np.full_like(SPOT, 4), np.full_like(SPOT, 5)) == pytest.approx(0.0, abs=1e-12)


def test_two_levels_against_one_of_them_by_hand() -> None:
    # Down the columns p_F = (1/2, 1/2, 0 ...) and p_S = (1, 0, 0 ...): the position under p_S never varies,
    # so w = 0, the joint distribution is the product, and H_FS = H_F + 0: nothing is shared.
    fused, visible = np.zeros((2, 3, 3), np.uint8)
    fused[:2, 0] = 10
    visible[0, 0] = 10
    assert fmi(fused, visible, visible) == pytest.approx(0.0, abs=1e-12)


def test_two_overlapping_pairs_of_levels_by_hand() -> None:
    # p_F = (1/2, 1/2, 0, ...), p_S = (0, 1/2, 1/2, 0, ...), both with position variance 1/4.
    # c = (1/4 - 1/9) / (1/2 - 1/9) = 5/14 > 0. U puts 1/2 each on (1, 2) and (2, 3): correlation 1, w = 5/14.
    # Joint: (1, 2), (2, 3) have w / 2 + (1 - w) / 4 = 19/56, (1, 3), (2, 2) have (1 - w) / 4 = 9/56.
    fused, visible = np.zeros((2, 3, 3), np.uint8)
    fused[:2, 0] = 10
    visible[1:, 0] = 60
    joint_entropy = -2 * (19 / 56 * log2(19 / 56) + 9 / 56 * log2(9 / 56))
    assert fmi(fused, visible, visible) == pytest.approx(2 * (1 + 1 - joint_entropy) / 2, abs=1e-12)


def test_columns_and_rows_are_not_alike_as_positions_count_along_the_former() -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 6, 7), dtype=np.uint8)
    assert fmi(*(plane.T for plane in image)) != pytest.approx(fmi(*image), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 5, 128]))
def test_fmi_sees_neither_brightness_nor_gain_and_is_one_of_equal_images(seed: int, levels: int) -> None:
    fused, visible, infrared = np.random.default_rng(seed).integers(0, levels, (3, 7, 8), dtype=np.uint8)
    value = fmi(fused, visible, infrared)
    assert fmi(fused, fused, fused) == 1.0
    assert -1 <= value <= 1
    if levels == 128:  # where windows are hardly ever equal
        assert fmi(2 * fused + 1, 2 * visible, 2 * infrared) == pytest.approx(value, abs=1e-9)
