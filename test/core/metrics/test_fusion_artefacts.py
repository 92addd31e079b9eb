"""Fusion artefacts Nabf."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.metrics import nabf


def preserved(strength: float, alignment: float) -> float:
    return sqrt(0.9999 / (1 + exp(-19 * (strength - 0.5))) * 0.9995 / (1 + exp(-22 * (alignment - 0.5))))


def test_a_new_edge_between_flat_sources_is_lost_to_both_at_equal_weights() -> None:
    # Mirrored, each of the middle columns has the Sobel response 4 * 80 / 8 = 40 across, the outer ones 0.
    # Sources are flat: strength ratio 0, both angles 0, so alignment 1; every pixel weighs .001.
    fused = np.tile(np.array([10, 10, 90, 90], np.uint8), (5, 1))
    flat = np.full_like(fused, 50)
    expected = 0.5 * (1 - preserved(0, 1))
    assert nabf(fused, flat, flat) == pytest.approx(expected, abs=1e-12)


def test_an_edge_twice_as_strong_as_in_one_source_by_hand() -> None:
    # Middle columns: g_F = 40, g_V = 20 (weight 20^1.5), g_R = 0 (weight .001); outer columns have g = 0.
    fused = np.tile(np.array([10, 10, 90, 90], np.uint8), (5, 1))
    visible = np.tile(np.array([10, 10, 50, 50], np.uint8), (5, 1))
    flat = np.full_like(fused, 50)
    lost = 10 * ((1 - preserved(0.5, 1)) * 20**1.5 + (1 - preserved(0, 1)) * 0.001)
    weights = 10 * (20**1.5 + 0.001) + 10 * (0.001 + 0.001)
    assert nabf(fused, visible, flat) == pytest.approx(lost / weights, abs=1e-12)


def test_weak_edges_weigh_as_nothing() -> None:
    # g_V = 4 * 3 / 8 = 1.5 < 2
    fused = np.tile(np.array([10, 10, 16, 16], np.uint8), (5, 1))
    visible = np.tile(np.array([10, 10, 13, 13], np.uint8), (5, 1))
    flat = np.full_like(fused, 50)
    expected = ((1 - preserved(0.5, 1)) + (1 - preserved(0, 1))) / 4
    assert nabf(fused, visible, flat) == pytest.approx(expected, abs=1e-12)


def test_an_edge_along_rows_is_as_much_an_artefact_as_one_along_columns() -> None:
    random = np.random.default_rng(1)
    triple = random.integers(0, 256, (3, 12, 12), dtype=np.uint8)
    assert nabf(*(image.T for image in triple)) == pytest.approx(nabf(*triple), abs=1e-12)


def test_what_is_no_stronger_than_a_source_is_no_artefact() -> None:
    visible, infrared = np.random.default_rng(2).integers(0, 256, (2, 12, 14), dtype=np.uint8)
    assert nabf(visible, visible, infrared) == 0.0
    assert nabf(np.full_like(visible, 7), visible, infrared) == 0.0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 256]))
def test_nabf_lies_between_zero_and_one_and_does_not_see_brightness(seed: int, levels: int) -> None:
    triple = np.random.default_rng(seed).integers(0, levels, (3, 6, 7), dtype=np.uint8)
    value = nabf(*triple)
    assert 0 <= value < 1
    assert nabf(*(255 - triple)) == pytest.approx(value, abs=1e-12)
