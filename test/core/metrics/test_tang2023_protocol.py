"""Protocol "tang2023" against its arithmetic written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from psfusion_core.metrics import PROTOCOLS

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
STANDARD, TANG2022, TANG2023 = (PROTOCOLS[name] for name in ("standard", "tang2022", "tang2023"))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """scipy's Gaussian of the same window, on images that go on beyond their border with its pixels."""

    def mean(image: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(image, 1.5, mode="nearest", radius=5)

    a, b = a.astype(float), b.astype(float)
    m_a, m_b = mean(a), mean(b)
    v_a, v_b, c = mean(a * a) - m_a**2, mean(b * b) - m_b**2, mean(a * b) - m_a * m_b
    luminance = (2 * m_a * m_b + 0.0001) / (m_a**2 + m_b**2 + 0.0001)
    return float(np.mean(luminance * (2 * c + 0.0009) / (v_a + v_b + 0.0009)))


def test_only_seven_measures_differ_from_the_standard() -> None:
    assert [name for name in TANG2023 if TANG2023[name] is not STANDARD[name]] == [
        *("MI", "Qabf", "SSIM", "MS-SSIM", "Nabf", "PSNR", "MSE")
    ]


def test_four_of_them_are_those_of_2022() -> None:
    assert [name for name in TANG2023 if TANG2023[name] is TANG2022[name] is not STANDARD[name]] == [
        *("MI", "MS-SSIM", "PSNR", "MSE")
    ]


def test_ssim_equals_its_derivation_on_twelve_triples(triples: list[Triple]) -> None:
    for f, v, r in triples:
        assert TANG2023["SSIM"](f, v, r) == pytest.approx((ssim(f, v) + ssim(f, r)) / 2, abs=1e-6)


def test_ssim_of_almost_flat_images_sees_the_noise_that_the_standard_forgives() -> None:
    random = np.random.default_rng(1)
    images = [(100 + random.integers(0, 2, (30, 30))).astype(np.uint8) for _ in range(3)]
    assert STANDARD["SSIM"](*images) > 0.98
    assert TANG2023["SSIM"](*images) < 0.3


def test_nabf_is_that_of_the_infrared_image_fused_from_the_fused_one(triples: list[Triple]) -> None:
    for f, v, r in triples:
        assert TANG2023["Nabf"](f, v, r) == STANDARD["Nabf"](r, v, f)


def test_qabf_of_equal_edges_has_the_strength_sigmoid_at_their_own_strength() -> None:
    # one column between zero borders: s_x = 0 everywhere, s_y = 2 * 9 above and below it; equal, so G = 18
    column = np.array([[0], [9], [0]], np.uint8)
    strength, angle = 0.9994 / (1 + math.exp(-15 * 17.5)), 0.9879 / (1 + math.exp(-22 * 0.2))
    assert TANG2023["Qabf"](column, column, column) == pytest.approx(strength * angle, abs=1e-12)
    # on [0, 1] it is 18 / 255
    strength = 0.9994 / (1 + math.exp(-15 * (18 / 255 - 0.5)))
    assert TANG2022["Qabf"](column, column, column) == pytest.approx(strength * angle, abs=1e-12)


def test_qabf_equals_the_standard_where_no_edges_tie_and_no_derivative_is_zero() -> None:
    random = np.random.default_rng(4)
    ramps = np.add.outer(np.arange(1, 9) * 7, np.arange(1, 10) * 5)
    triple = [
        (ramps * factor + random.integers(0, 3, ramps.shape)).astype(np.uint8) for factor in (1.3, 1, 0.6)
    ]
    assert TANG2023["Qabf"](*triple) == pytest.approx(STANDARD["Qabf"](*triple), abs=1e-12)
