"""Structural similarity."""

from __future__ import annotations

import numpy as np
import pytest

from psfusion_core.metrics import ssim

C1, C2 = 2.55**2, 7.65**2


def ssim_window_by_window(first: np.ndarray, second: np.ndarray) -> float:
    offsets = np.arange(11) - 5
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    values = []
    for y in range(first.shape[0] - 10):
        for x in range(first.shape[1] - 10):
            a, b = (image[y : y + 11, x : x + 11].astype(float) for image in (first, second))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            a, b = a - mean_a, b - mean_b
            luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
            structure = (2 * (weights * a * b).sum() + C2) / ((weights * (a * a + b * b)).sum() + C2)
            values.append(luminance * structure)
    return float(np.mean(values))


def test_ssim_of_identical_images_is_one() -> None:
    image = np.random.default_rng(1).integers(0, 256, (16, 20), dtype=np.uint8)
    assert ssim(image, image, image) == pytest.approx(1.0, abs=1e-9)


def test_ssim_of_flat_images_is_the_luminance_term_averaged_over_both_sources() -> None:
    flat = [np.full((11, 11), level, np.uint8) for level in (100, 50, 0)]
    visible = (2 * 100 * 50 + C1) / (100**2 + 50**2 + C1)
    infrared = C1 / (100**2 + C1)
    assert ssim(*flat) == pytest.approx((visible + infrared) / 2, abs=1e-9)


def test_ssim_equals_the_moments_of_each_window_on_random_images() -> None:
    fused, visible, infrared = np.random.default_rng(2).integers(0, 256, (3, 15, 18), dtype=np.uint8)
    expected = (ssim_window_by_window(fused, visible) + ssim_window_by_window(fused, infrared)) / 2
    assert ssim(fused, visible, infrared) == pytest.approx(expected, abs=1e-6)


def test_ssim_falls_below_zero_for_a_negative_of_equal_brightness() -> None:
    image = np.where(np.indices((20, 20)).sum(axis=0) % 2, 192, 64).astype(np.uint8)
    negative = (256 - image.astype(int)).astype(np.uint8)
    assert ssim(negative, image, image) < 0
