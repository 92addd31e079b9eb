"""Edge preservation Qabf."""

from __future__ import annotations

from math import atan, exp, hypot, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core.metrics import qabf

PERFECT = 0.9994 / (1 + exp(-7.5)) * 0.9879 / (1 + exp(-4.4))


def qabf_pixel_by_pixel(fused: np.ndarray, visible: np.ndarray, infrared: np.ndarray) -> float:
    def edges(image: np.ndarray) -> list[tuple[float, float]]:
        padded = np.pad(image.astype(int), 1).tolist()
        found = []
        for y in range(1, image.shape[0] + 1):
            for x in range(1, image.shape[1] + 1):
                across = sum(
                    k * (padded[y + j][x + 1] - padded[y + j][x - 1]) for j, k in ((-1, 1), (0, 2), (1, 1))
                )
                down = sum(
                    k * (padded[y + 1][x + j] - padded[y - 1][x + j]) for j, k in ((-1, 1), (0, 2), (1, 1))
                )
                found.append((hypot(across, down), atan(down / across) if across else pi / 2))
        return found

    kept = total = 0.0
    for source in (visible, infrared):
        for (g, angle), (g_fused, angle_fused) in zip(edges(source), edges(fused), strict=True):
            if g == 0:
                continue
            strength = g_fused / g if g > g_fused else g / g_fused
            alignment = 1 - abs(angle - angle_fused) / (pi / 2)
            kept += (
                g * 0.9994 / (1 + exp(-15 * (strength - 0.5))) * 0.9879 / (1 + exp(-22 * (alignment - 0.8)))
            )
            total += g
    return kept / total


def test_qabf_of_two_sources_equal_to_the_fused_image_is_the_product_of_both_sigmoids_at_one() -> None:
    image = np.random.default_rng(1).integers(0, 256, (9, 8), dtype=np.uint8)
    assert qabf(image, image, image) == pytest.approx(PERFECT, abs=1e-12)


def test_qabf_of_a_black_fused_image_is_what_the_sigmoids_leave_at_no_strength() -> None:
    # one column between zero borders: s_x = 0 everywhere, so the angles agree (pi/2), only strength is lost
    column = np.array([[0], [9], [0]], np.uint8)
    nothing = np.zeros_like(column)
    expected = 0.9994 / (1 + exp(7.5)) * 0.9879 / (1 + exp(-4.4))
    assert qabf(nothing, column, nothing) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 256]))
def test_qabf_equals_its_sum_pixel_by_pixel(seed: int, levels: int) -> None:
    triple = np.random.default_rng(seed).integers(0, levels, (3, 8, 9), dtype=np.uint8)
    assert qabf(*triple) == pytest.approx(qabf_pixel_by_pixel(*triple), abs=1e-6)


def test_qabf_does_not_change_with_the_scale_of_the_images() -> None:
    triple = np.random.default_rng(6).integers(0, 128, (3, 12, 10), dtype=np.uint8)
    assert qabf(*(2 * triple)) == pytest.approx(qabf(*triple), abs=1e-12)
