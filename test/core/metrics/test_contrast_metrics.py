"""Standard deviation, spatial frequency and average gradient."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.metrics import average_gradient, spatial_frequency, standard_deviation

FOUR = np.array([[0, 2], [4, 10]], np.uint8)
any_luma = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9))


def test_standard_deviation_divides_by_the_number_of_pixels() -> None:
    # mean 4, squared deviations 16 + 4 + 0 + 36 = 56 over 4 pixels
    assert standard_deviation(FOUR) == pytest.approx(sqrt(14), abs=1e-12)


def test_spatial_frequency_averages_over_neighbour_pairs_not_pixels() -> None:
    # rows: (2^2 + 6^2) / 2 = 20; columns: (4^2 + 8^2) / 2 = 40
    assert spatial_frequency(FOUR) == pytest.approx(sqrt(60), abs=1e-12)


def test_average_gradient_sums_every_pixel_and_divides_by_one_row_and_column_less() -> None:
    # Gx = [[2, 2], [6, 6]], Gy = [[4, 8], [4, 8]]; divisor (2 - 1) (2 - 1) = 1
    assert average_gradient(FOUR) == pytest.approx(sqrt(10) + sqrt(34) + sqrt(26) + sqrt(50), abs=1e-12)


def test_average_gradient_of_a_ramp_is_its_slope_over_root_two_times_the_divisor_ratio() -> None:
    ramp = np.tile(np.arange(0, 50, 5, dtype=np.uint8), (4, 1))
    assert average_gradient(ramp) == pytest.approx(5 / sqrt(2) * (4 * 10) / (3 * 9), abs=1e-12)


@settings(deadline=None)
@given(any_luma)
def test_contrast_metrics_equal_their_plain_loops(image: np.ndarray) -> None:
    f = image.tolist()
    height, width = image.shape
    mean = sum(map(sum, f)) / (height * width)
    deviation = sqrt(sum((value - mean) ** 2 for row in f for value in row) / (height * width))
    row = sum((f[y][x] - f[y][x - 1]) ** 2 for y in range(height) for x in range(1, width))
    column = sum((f[y][x] - f[y - 1][x]) ** 2 for y in range(1, height) for x in range(width))

    def slope(before: tuple[int, int], after: tuple[int, int]) -> float:
        distance = (after[0] - before[0]) + (after[1] - before[1])
        return (f[after[0]][after[1]] - f[before[0]][before[1]]) / distance

    gradient = 0.0
    for y in range(height):
        for x in range(width):
            across = slope((y, max(x - 1, 0)), (y, min(x + 1, width - 1)))
            down = slope((max(y - 1, 0), x), (min(y + 1, height - 1), x))
            gradient += sqrt((across**2 + down**2) / 2)

    assert standard_deviation(image) == pytest.approx(deviation, abs=1e-6)
    frequency = sqrt(row / (height * (width - 1)) + column / ((height - 1) * width))
    assert spatial_frequency(image) == pytest.approx(frequency, abs=1e-6)
    assert average_gradient(image) == pytest.approx(gradient / ((height - 1) * (width - 1)), abs=1e-6)


@settings(deadline=None)
@given(any_luma)
def test_contrast_metrics_do_not_change_when_the_image_is_mirrored_or_inverted(image: np.ndarray) -> None:
    for metric in (standard_deviation, spatial_frequency, average_gradient):
        value = pytest.approx(metric(image), abs=1e-9)
        assert metric(255 - image) == value
        assert metric(image[::-1, ::-1]) == value
        assert metric(image.T) == value
