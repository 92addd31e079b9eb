"""Entropy and mutual information."""

from __future__ import annotations

from collections import Counter
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.metrics import entropy, mutual_information

any_luma = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12))


def mutual_information_by_definition(first: np.ndarray, second: np.ndarray) -> float:
    """Sum over all pairs of levels of p(a, b) log2(p(a, b) / (p(a) p(b))), counted with dictionaries."""
    total = first.size
    pairs = Counter(zip(first.ravel().tolist(), second.ravel().tolist(), strict=True))
    left, right = Counter(first.ravel().tolist()), Counter(second.ravel().tolist())
    return sum(n / total * log2(n * total / (left[a] * right[b])) for (a, b), n in pairs.items())


def test_entropy_of_four_equally_common_levels_is_two_bits() -> None:
    assert entropy(np.array([[0, 1], [128, 255]], np.uint8)) == 2.0


def test_entropy_of_every_level_once_is_eight_bits() -> None:
    assert entropy(np.arange(256, dtype=np.uint8).reshape(16, 16)) == 8.0


def test_entropy_of_levels_at_a_quarter_and_three_quarters() -> None:
    # -(1/4 log2 1/4 + 3/4 log2 3/4) = 2 - 3/4 log2 3
    assert entropy(np.array([[7, 9], [9, 9]], np.uint8)) == pytest.approx(2 - 0.75 * log2(3), abs=1e-12)


@settings(deadline=None)
@given(any_luma)
def test_entropy_lies_between_zero_and_eight_bits_and_ignores_pixel_order(image: np.ndarray) -> None:
    value = entropy(image)
    assert 0 <= value <= 8
    assert entropy(np.sort(image, axis=None).reshape(image.shape)) == value


def test_independent_sources_share_no_information_with_the_fused_image() -> None:
    columns = np.array([[0, 255], [0, 255]], np.uint8)
    assert mutual_information(columns, columns.T.copy(), columns.T.copy()) == 0.0


def test_sources_equal_to_the_fused_image_give_twice_its_entropy() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)
    assert mutual_information(image, image, 255 - image) == pytest.approx(4.0, abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mutual_information_equals_its_sum_over_level_pairs(seed: int) -> None:
    fused, visible, infrared = np.random.default_rng(seed).integers(0, 6, (3, 9, 7), dtype=np.uint8)
    expected = sum(mutual_information_by_definition(fused, source) for source in (visible, infrared))
    assert mutual_information(fused, visible, infrared) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(any_luma)
def test_mutual_information_is_never_negative(image: np.ndarray) -> None:
    assert mutual_information(image, np.zeros_like(image), np.roll(image, 1, axis=0)) >= 0
