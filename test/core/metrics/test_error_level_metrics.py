"""Mean squared error and peak signal-to-noise ratio."""

from __future__ import annotations

from math import log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.metrics import mse, psnr

any_triple = array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
    lambda shape: arrays(np.uint8, (3, *shape))
)


def test_mse_is_the_mean_over_both_sources_on_the_scale_of_grey_levels() -> None:
    # to the visible image (9 + 0 + 0 + 1) / 4, to the infrared one (100 + 0 + 0 + 0) / 4
    fused = np.array([[10, 20], [30, 40]], np.uint8)
    visible = np.array([[13, 20], [30, 39]], np.uint8)
    infrared = np.array([[0, 20], [30, 40]], np.uint8)
    assert mse(fused, visible, infrared) == (2.5 + 25) / 2
    assert psnr(fused, visible, infrared) == pytest.approx(10 * log10(255**2 / 13.75), abs=1e-12)


def test_differences_do_not_wrap_around_in_eight_bits() -> None:
    black, white = np.zeros((3, 4), np.uint8), np.full((3, 4), 255, np.uint8)
    assert mse(black, white, white) == mse(white, black, black) == 255**2
    assert psnr(black, white, white) == 0.0


def test_psnr_of_three_equal_images_is_that_of_half_a_level_in_one_pixel_of_both_sources() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    error = 0.5**2 / 24
    assert psnr(image, image, image) == pytest.approx(10 * log10(255**2 / error), abs=1e-9)
    almost = image.copy()
    almost[0, 0] += 1
    assert psnr(image, almost, image) < psnr(image, image, image)


@settings(deadline=None)
@given(any_triple)
def test_mse_and_psnr_order_images_alike_and_ignore_the_order_of_pixels(triple: np.ndarray) -> None:
    assert 0 <= mse(*triple) <= 255**2
    assert psnr(*triple) >= 0
    assert mse(*triple[:, ::-1, ::-1]) == pytest.approx(mse(*triple), rel=1e-12)
    assert mse(*(255 - triple)) == pytest.approx(mse(*triple), rel=1e-12)
