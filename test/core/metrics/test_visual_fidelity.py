"""Visual information fidelity."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from psfusion_core.metrics import vif


def gaussian(size: int) -> np.ndarray:
    offsets = np.arange(size) - size // 2
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (size / 5) ** 2))
    return window / window.sum()


def vif_window_by_window(source: np.ndarray, fused: np.ndarray) -> float:
    """One source's ratio, each window's weighted moments taken about its own mean."""
    s, f = source.astype(float), fused.astype(float)
    kept = available = 0.0
    for scale, size in enumerate((17, 9, 5, 3)):
        weights = gaussian(size)
        if scale > 0:
            s, f = (
                np.array(
                    [
                        [
                            (image[y : y + size, x : x + size] * weights).sum()
                            for x in range(0, w - size + 1, 2)
                        ]
                        for y in range(0, h - size + 1, 2)
                    ]
                )
                for image in (s, f)
                for h, w in [image.shape]
            )
        for y in range(s.shape[0] - size + 1):
            for x in range(s.shape[1] - size + 1):
                a, b = (image[y : y + size, x : x + size] for image in (s, f))
                a, b = a - (weights * a).sum(), b - (weights * b).sum()
                variance, covariance = (weights * a * a).sum(), (weights * a * b).sum()
                gain = max(covariance, 0) / variance
                noise = (weights * b * b).sum() - gain * covariance
                kept += log(1 + gain**2 * variance / (noise + 2))
                available += log(1 + variance / 2)
    return kept / available


def test_vif_of_two_sources_equal_to_the_fused_image_is_two() -> None:
    image = np.random.default_rng(2).integers(0, 256, (48, 56), dtype=np.uint8)
    assert vif(image, image, image) == pytest.approx(2.0, abs=1e-9)


def test_vif_of_a_single_window_with_a_doubled_spot_by_hand() -> None:
    # 17 x 17 is one window of the first scale only. A spot of height d at the centre, where the window weighs
    # w, has variance d^2 w (1 - w); twice the spot is gain 2 without distortion.
    source = np.zeros((17, 17), np.uint8)
    source[8, 8] = 50
    flat = np.zeros_like(source)
    weight = (1 / sum(exp(-(k**2) / (2 * 3.4**2)) for k in range(-8, 9))) ** 2
    variance = 50**2 * weight * (1 - weight)
    expected = log(1 + 4 * variance / 2) / log(1 + variance / 2)
    assert vif(2 * source, source, flat) == pytest.approx(expected, abs=1e-9)
    assert vif(flat, source, source) == 0.0


def test_vif_equals_the_moments_of_each_window_on_random_images() -> None:
    generator = np.random.default_rng(3)
    visible, infrared = generator.integers(0, 256, (2, 41, 44), dtype=np.uint8)
    fused = ((visible.astype(int) + infrared + generator.integers(0, 9, visible.shape)) // 3).astype(np.uint8)
    expected = vif_window_by_window(visible, fused) + vif_window_by_window(infrared, fused)
    assert vif(fused, visible, infrared) == pytest.approx(expected, abs=1e-6)


def test_vif_is_lost_to_noise_and_to_a_negative() -> None:
    generator = np.random.default_rng(4)
    source = np.repeat(generator.integers(60, 190, (48, 8), dtype=np.uint8), 8, axis=1)
    mild, strong = (source + generator.integers(0, level, source.shape, dtype=np.uint8) for level in (10, 60))
    assert 2 > vif(mild, source, source) > vif(strong, source, source) > 0
    assert vif(255 - source, source, source) == 0.0


@pytest.mark.parametrize("side", [17, 24, 25, 32, 33, 40, 41])
def test_vif_of_small_images_uses_the_scales_that_fit(side: int) -> None:
    image = np.random.default_rng(5).integers(0, 256, (side, side + 3), dtype=np.uint8)
    assert vif(image, image, image) == pytest.approx(2.0, abs=1e-9)
