"""The effects' equations, against NumPy in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from augmentation_checks import Doubles, assert_matches, generator
from torch import Tensor

from psfusion_core.training.augmentation import camera_variation


def pictures(channels: int) -> tuple[Tensor, Doubles]:
    image = torch.rand(2, channels, 24, 20, generator=generator(11))
    return image, image.double().numpy()


def linear(x: Doubles) -> Doubles:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def display(x: Doubles) -> Doubles:
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)


def parameter(*values: float) -> tuple[Tensor, Doubles]:
    return torch.tensor(values), np.array(values).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_gain_is_a_factor_times_a_power_plus_an_offset(channels: int) -> None:
    image, x = pictures(channels)
    (gain, k), (gamma, g), (offset, b) = parameter(0.6, 1.5), parameter(1.4, 0.8), parameter(0.2, 0.0)
    assert_matches(camera_variation.change_gain(image, gain, gamma, offset), k * x**g + b)


def test_darkness_divides_linear_light() -> None:
    image, x = pictures(3)
    stops, s = parameter(2.0, 5.0)
    assert_matches(camera_variation.darken(image, stops), display(linear(x) / 2**s))


def test_shot_noise_is_the_root_of_the_electrons_beside_read_noise() -> None:
    image, x = pictures(3)
    noise = torch.randn(image.shape, generator=generator())
    electrons = 1000 * linear(x)
    noisy = (electrons + np.sqrt(electrons + 1.5**2) * noise.double().numpy()) / 1000
    assert_matches(camera_variation.add_shot_noise(image, 1000.0, noise), display(np.clip(noisy, 0, 1)))


def test_glare_adds_haze_and_the_light_of_each_lamp() -> None:
    image, x = pictures(3)
    centres = torch.tensor([[[3.0, 5.0], [9.5, 2.0]], [[19.0, 0.0], [4.0, 4.0]]])
    radii, peaks = torch.tensor([[4.0, 2.0], [6.0, 3.0]]), torch.tensor([[2.0, 2.0], [2.0, 0.0]])
    haze, h = parameter(0.1, 0.3)
    expected = (1 - h) * x + h
    rows, columns = np.mgrid[:24, :20]
    for item in range(2):
        for (x0, y0), radius, peak in zip(
            centres[item].tolist(), radii[item].tolist(), peaks[item].tolist(), strict=True
        ):
            squared = ((columns - x0) ** 2 + (rows - y0) ** 2) / radius**2
            expected[item] += peak / (1 + squared) ** 2
    glaring = camera_variation.add_glare(image, centres, radii, peaks, haze)
    assert_matches(glaring, expected)
    assert (glaring[0, :, 5, 2:5] == 1).all()


def test_misregistration_by_whole_pixels_moves_right_and_down_and_repeats_the_edge() -> None:
    image, x = pictures(1)
    shifted = camera_variation.misregister(image, torch.tensor([[2.0, 1.0], [0.0, -1.0]]), torch.zeros(2))
    expected = np.stack(
        [
            np.pad(x[0], ((0, 0), (1, 0), (2, 0)), mode="edge")[:, :-1, :-2],
            np.pad(x[1], ((0, 0), (0, 1), (0, 0)), mode="edge")[:, 1:],
        ]
    )
    assert_matches(shifted, expected)


def test_misregistration_turns_about_the_centre_and_samples_bilinearly() -> None:
    ramp = torch.linspace(0, 1, 21).expand(1, 1, 21, 21)  # a ramp is exact under bilinear sampling
    turned = camera_variation.misregister(ramp, torch.zeros(1, 2), torch.tensor([10.0]))[0, 0, 5:16, 5:16]
    rows, columns = np.mgrid[-5:6, -5:6]
    angle = np.deg2rad(10.0)
    # Turned counter-clockwise as displayed, the bright right side goes up: lower rows become darker.
    np.testing.assert_allclose(turned, 0.5 + (np.cos(angle) * columns - np.sin(angle) * rows) / 20, atol=2e-5)


def nearest_rank(x: Doubles, percentile: float) -> Doubles:
    levels = x[..., ::4, ::4].reshape(len(x), -1)
    return np.percentile(levels, percentile, axis=1, method="nearest").reshape(-1, 1, 1, 1)


def test_enhancement_stretches_between_percentiles_and_darkens_the_background() -> None:
    image, _ = pictures(1)
    image = 0.4 + 0.3 * image
    x = image.double().numpy()
    low, high = nearest_rank(x, 1.0), nearest_rank(x, 99.5)
    stretched = np.clip((x - low) / (high - low), 0, 1)
    median = nearest_rank(stretched, 50.0)
    background, b = parameter(0.3, 0.01)
    power = np.log(b) / np.log(median)
    assert 1 < power[0] < 3 < power[1]
    assert_matches(camera_variation.enhance_contrast(image, background), stretched ** np.minimum(power, 3))


def test_enhancement_stretches_only_where_the_background_is_dark_already() -> None:
    image, x = pictures(1)
    x, image = x**4, image**4
    low, high = nearest_rank(x, 1.0), nearest_rank(x, 99.5)
    assert_matches(
        camera_variation.enhance_contrast(image, torch.tensor([0.3, 0.3])), (x - low) / (high - low)
    )


def test_enhancement_does_not_amplify_an_even_scene_more_than_tenfold() -> None:
    enhanced = camera_variation.enhance_contrast(0.5 + 0.01 * pictures(1)[0], torch.full((2,), 0.3))
    assert 0 < enhanced.max() < 0.11


def test_narrow_contrast_lifts_the_background_and_compresses() -> None:
    image, x = pictures(1)
    x, image = x**4, image**4
    (background, g), (low, b), (span, k) = parameter(0.3, 0.9), parameter(0.3, 0.0), parameter(0.4, 0.7)
    power = np.log(g) / np.log(nearest_rank(x, 50.0))
    assert 1 > power[0] > 1 / 3 > power[1]
    expected = b + k * x ** np.maximum(power, 1 / 3)
    assert_matches(camera_variation.narrow_contrast(image, background, low, span), expected)


def test_narrow_contrast_only_compresses_where_the_background_is_bright_already() -> None:
    image, x = pictures(1)
    half = torch.full((2,), 0.5)
    narrowed = camera_variation.narrow_contrast(image**0.25, torch.full((2,), 0.4), 0.2 * half, half)
    assert_matches(narrowed, 0.1 + 0.5 * x**0.25)


def test_infrared_noise_is_white_noise_and_one_number_for_each_column_and_row() -> None:
    image, x = pictures(1)
    white, columns, rows = (
        0.05 * torch.randn(shape, generator=generator())
        for shape in ((2, 1, 24, 20), (2, 1, 1, 20), (2, 1, 24, 1))
    )
    noisy = x + white.double().numpy() + columns.double().numpy() + rows.double().numpy()
    assert_matches(camera_variation.add_infrared_noise(image, white, columns, rows), noisy)
