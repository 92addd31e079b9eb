"""Correlation coefficient and sum of the correlations of differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.metrics import correlation, scd


def test_correlation_with_the_image_and_its_negative_averages_to_zero() -> None:
    image = np.array([[0, 10], [20, 70]], np.uint8)
    assert correlation(image, image, 255 - image) == pytest.approx(0.0, abs=1e-12)
    assert correlation(image, image, image) == pytest.approx(1.0, abs=1e-12)


def test_correlation_of_four_pixels_by_hand() -> None:
    # F - 1 = (-1, 0, 0, 1); V - 1 = (-1, 1, -1, 1): r = 2 / sqrt(2 * 4); R is flat: r = 0
    fused = np.array([[0, 1], [1, 2]], np.uint8)
    visible = np.array([[0, 2], [0, 2]], np.uint8)
    flat = np.full((2, 2), 9, np.uint8)
    assert correlation(fused, visible, flat) == pytest.approx(2 / np.sqrt(8) / 2, abs=1e-12)


def test_scd_of_the_sum_of_the_sources_is_two() -> None:
    visible, infrared = np.random.default_rng(1).integers(0, 128, (2, 8, 9), dtype=np.uint8)
    assert scd(visible + infrared, visible, infrared) == pytest.approx(2.0, abs=1e-12)


def test_scd_of_a_copy_of_one_source_counts_only_what_differs_from_the_other() -> None:
    # F = V: F - V is flat (0); F - R - 1 = (-1, -1, -1, 3), V - 2 = (-2, -2, 2, 2): r = 8 / sqrt(12 * 16)
    visible = np.array([[0, 0], [4, 4]], np.uint8)
    infrared = np.array([[0, 0], [4, 0]], np.uint8)
    assert scd(visible, visible, infrared) == pytest.approx(8 / np.sqrt(12 * 16), abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_both_equal_numpys_own_correlation_matrix(seed: int) -> None:
    triple = np.random.default_rng(seed).integers(0, 256, (3, 11, 13), dtype=np.uint8)
    f, v, r = triple.astype(float).reshape(3, -1)
    expected = (np.corrcoef(f, v)[0, 1] + np.corrcoef(f, r)[0, 1]) / 2
    assert correlation(*triple) == pytest.approx(expected, abs=1e-6)
    expected = np.corrcoef(f - r, v)[0, 1] + np.corrcoef(f - v, r)[0, 1]
    assert scd(*triple) == pytest.approx(expected, abs=1e-6)
