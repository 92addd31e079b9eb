"""Random crops of all planes, and the effects of cameras against NumPy."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from torch import Tensor

from psfusion_core.training.augmentation import camera_variation
from psfusion_core.training.augmentation.augmentation_settings import CameraSettings, GeometrySettings
from psfusion_core.training.augmentation.camera_variation import CameraVariation
from psfusion_core.training.augmentation.random_crop import RandomCrop
from psfusion_core.training.data.scene_planes import Batch

CROP = 32
LABEL, WEIGHT, SALIENT = 4, 5, 6
BATCH, HEIGHT, WIDTH = 4, 40, 48
NEVER = {name: 0.0 for name in asdict(CameraSettings()) if name.endswith("probability")}
EFFECTS = sorted(NEVER)
VISIBLE_EFFECTS = {"exposure_probability", "darkness_probability", "glare_probability"}


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_planes(batch: int, side: int) -> Tensor:
    planes = torch.randint(256, (batch, 7, side, side), dtype=torch.uint8, generator=generator(1))
    planes[:, LABEL] %= 9
    return planes


def ramp_planes(batch: int, side: int, axis: int) -> Tensor:
    """Two levels a pixel along an axis in every plane; the label counts steps of thirty levels."""
    ramp = (2 * torch.arange(side)).clamp(max=255).byte().view(*([-1, 1] if axis else [1, -1]))
    planes = ramp.expand(side, side).expand(batch, 7, side, side).clone()
    planes[:, LABEL] = planes[:, LABEL] // 30
    return planes


# Geometry


@pytest.mark.parametrize("quarter_turns", [False, True])
def test_a_crop_that_is_not_resampled_is_a_turned_window_of_the_input_byte_for_byte(
    quarter_turns: bool,
) -> None:
    geometry = RandomCrop(GeometrySettings(probability=0.0, quarter_turns=quarter_turns), CROP)
    planes = random_planes(24, CROP + 5)
    crops = geometry.cut(planes, generator())
    found = []
    for window, crop in zip(planes, crops, strict=True):
        matches = []
        for top, left in itertools.product(range(6), repeat=2):
            cut = window[:, top : top + CROP, left : left + CROP]
            for mirrored, turns in itertools.product((False, True), range(4)):
                oriented = (cut.flip(-1) if mirrored else cut).rot90(turns, (-2, -1))
                if torch.equal(crop, oriented):
                    matches.append((mirrored, turns, (top, left)))
        assert len(matches) == 1
        found += matches
    mirrors, rotations, places = (set(values) for values in zip(*found, strict=True))
    assert mirrors == {False, True}
    assert rotations == (set(range(4)) if quarter_turns else {0})
    assert len(places) > 12


def test_nothing_is_mirrored_without_flip() -> None:
    geometry = RandomCrop(GeometrySettings(flip=False, probability=0.0), CROP)
    planes = random_planes(12, CROP)
    assert torch.equal(geometry.cut(planes, generator()), planes)


@pytest.mark.parametrize("axis", [0, 1])
def test_all_planes_stay_aligned_when_rotated_and_scaled(axis: int) -> None:
    geometry = RandomCrop(GeometrySettings(rotation_degrees=30.0, quarter_turns=True, probability=1.0), CROP)
    planes = ramp_planes(16, geometry.window_size(), axis)
    crops = geometry.cut(planes, generator()).int()
    red = crops[:, 0]
    for plane in (1, 2, 3, SALIENT):
        assert torch.equal(crops[:, plane], red)
    # The nearest pixel is at most half a pixel away along each axis: one level, and another for rounding.
    assert (crops[:, WEIGHT] - red).abs().max() <= 2
    label = crops[:, LABEL]
    assert ((red - 2) // 30 <= label).all()
    assert (label <= (red + 2) // 30).all()
    assert len(label.unique()) > 2


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 90.0), st.floats(0.5, 1.0), st.integers(0, 1000))
def test_a_window_of_the_stated_size_holds_every_crop(degrees: float, scale: float, seed: int) -> None:
    geometry = RandomCrop(
        GeometrySettings(rotation_degrees=degrees, scale_min=scale, scale_max=scale, probability=1.0), CROP
    )
    side = geometry.window_size()
    assert side % 2 == 0
    planes = torch.full((4, 7, side, side), 8, dtype=torch.uint8)
    assert (geometry.cut(planes, generator(seed)) == 8).all()


def test_a_window_that_is_not_resampled_need_be_no_larger_than_the_crop() -> None:
    assert RandomCrop(GeometrySettings(probability=0.0), 33).window_size() == 34
    assert RandomCrop(GeometrySettings(), 224).window_size() == 304


def test_outside_of_the_window_images_continue_and_labels_are_ignored_without_weight() -> None:
    geometry = RandomCrop(GeometrySettings(scale_min=0.5, scale_max=0.5, probability=1.0), CROP)
    planes = random_planes(4, CROP)
    planes[:] = torch.tensor([90, 100, 110, 120, 3, 64, 200]).view(7, 1, 1)
    crops = geometry.cut(planes, generator())
    for plane in (0, 1, 2, 3, SALIENT):
        assert (crops[:, plane] == planes[0, plane, 0, 0]).all()
    outside = crops[:, LABEL] == 255
    assert 0.5 < outside.float().mean() < 0.9
    assert torch.equal(crops[:, WEIGHT] == 0, outside)
    assert (crops[:, LABEL][~outside] == 3).all()


def test_labels_and_weights_are_never_mixed() -> None:
    geometry = RandomCrop(GeometrySettings(probability=1.0, scale_min=0.6), CROP)
    planes = random_planes(8, CROP)
    planes[:, LABEL] = planes[:, LABEL] // 4 * 4  # 0, 4, 8: a mean of two would be another
    planes[:, WEIGHT] = planes[:, WEIGHT] // 128 * 96
    crops = geometry.cut(planes, generator())
    assert set(crops[:, LABEL].unique().tolist()) <= {0, 4, 8, 255}
    assert set(crops[:, WEIGHT].unique().tolist()) <= {0, 96}


def test_rotation_and_scale_are_what_the_settings_say() -> None:
    geometry = RandomCrop(
        GeometrySettings(flip=False, rotation_degrees=0.0, scale_min=2.0, scale_max=2.0, probability=1.0),
        CROP,
    )
    crop = geometry.cut(ramp_planes(1, 64, 0), generator())[0, 0, 0].int()  # two levels a pixel become one
    assert crop.diff().float().mean() == pytest.approx(1.0, abs=0.05)
    turned = RandomCrop(
        GeometrySettings(rotation_degrees=20.0, scale_min=1.0, scale_max=1.0, probability=1.0), CROP
    )
    crops = turned.cut(ramp_planes(64, turned.window_size(), 0), generator())[:, 0].double()
    across, down = crops.diff(dim=2).mean((1, 2)), crops.diff(dim=1).mean((1, 2))
    np.testing.assert_allclose(torch.hypot(across, down), 2.0, atol=0.1)
    degrees = torch.atan2(down, across.abs()).rad2deg()
    assert 15 < degrees.max() <= 21
    assert -21 <= degrees.min() < -15


def test_the_same_seed_gives_the_same_crops_and_another_seed_others() -> None:
    geometry = RandomCrop(GeometrySettings(quarter_turns=True), CROP)
    planes = random_planes(8, geometry.window_size())
    before = planes.clone()
    assert torch.equal(geometry.cut(planes, generator(5)), geometry.cut(planes, generator(5)))
    assert not torch.equal(geometry.cut(planes, generator(5)), geometry.cut(planes, generator(6)))
    assert torch.equal(planes, before)


def test_geometry_stays_on_the_device_of_the_planes() -> None:
    # An operation on tensors of two devices would raise.
    geometry = RandomCrop(GeometrySettings(quarter_turns=True, probability=1.0), CROP)
    side = geometry.window_size()
    crops = geometry.cut(torch.empty(4, 7, side, side, dtype=torch.uint8, device="meta"), generator())
    assert crops.device.type == "meta"
    assert crops.shape == (4, 7, CROP, CROP)
    assert crops.dtype == torch.uint8


@pytest.mark.parametrize(
    "planes",
    [
        torch.zeros(1, 7, CROP - 1, CROP - 1, dtype=torch.uint8),
        torch.zeros(1, 7, CROP, CROP + 1, dtype=torch.uint8),
        torch.zeros(1, 5, CROP, CROP, dtype=torch.uint8),
        torch.zeros(1, 7, CROP, CROP),
    ],
)
def test_windows_that_do_not_fit_are_refused(planes: Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected windows \(B, 7, S, S\) of uint8 with S >= 32, got"):
        RandomCrop(GeometrySettings(), CROP).cut(planes, generator())


# Cameras


def random_batch(device: str = "cpu") -> Batch:
    def image(channels: int) -> Tensor:
        return 0.2 + 0.6 * torch.rand(BATCH, channels, HEIGHT, WIDTH, generator=generator(channels))

    return Batch(
        visible=image(3).to(device),
        infrared=image(1).to(device),
        label=torch.randint(9, (BATCH, HEIGHT, WIDTH), generator=generator()).to(device),
        weight=torch.rand(BATCH, HEIGHT, WIDTH, generator=generator()).to(device),
        salient=torch.rand(BATCH, 1, HEIGHT, WIDTH, generator=generator()).to(device),
    )


def only(*effects: str) -> CameraVariation:
    return CameraVariation(CameraSettings(**{**NEVER, **dict.fromkeys(effects, 1.0)}))


def equal(first: Batch, second: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def items_changed(before: Tensor, after: Tensor) -> list[bool]:
    return (before != after).flatten(1).any(dim=1).tolist()


def test_with_every_probability_zero_a_batch_passes_bit_for_bit() -> None:
    batch = random_batch()
    seen, reference = only().vary(batch, generator())
    assert equal(seen, batch)
    assert equal(reference, batch)


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_of_probability_one_changes_every_item_that_the_network_sees(effect: str) -> None:
    batch = random_batch()
    seen, _ = only(effect).vary(batch, generator())
    varied = effect in VISIBLE_EFFECTS
    assert items_changed(batch.visible, seen.visible) == [varied] * BATCH
    assert items_changed(batch.infrared, seen.infrared) == [not varied] * BATCH


@pytest.mark.parametrize(
    "effect",
    [
        "exposure_probability",
        "glare_probability",
        "misregistration_probability",
        "infrared_gain_probability",
        "enhancement_probability",
        "narrowing_probability",
    ],
)
def test_what_the_cameras_made_of_the_light_is_also_in_the_reference(effect: str) -> None:
    seen, reference = only(effect).vary(random_batch(), generator())
    assert equal(seen, reference)


@pytest.mark.parametrize("effect", ["inversion_probability", "infrared_noise_probability"])
def test_noise_and_black_hot_polarity_are_not_in_the_reference(effect: str) -> None:
    batch = random_batch()
    _, reference = only(effect).vary(batch, generator())
    assert equal(reference, batch)


def test_the_reference_is_dim_where_it_is_dark_but_has_no_noise() -> None:
    batch = random_batch()
    batch.visible[:] = 0.5
    seen, reference = only("darkness_probability").vary(batch, generator())
    levels = reference.visible.flatten(1)
    assert (levels.std(dim=1) < 1e-6).all()
    assert (levels.mean(dim=1) < 0.3).all()
    assert (seen.visible.flatten(1).std(dim=1) > 0.005).all()
    np.testing.assert_allclose(seen.visible.flatten(1).mean(dim=1), levels.mean(dim=1), atol=0.02)


def test_glare_saturates_a_spot_in_every_item_and_veils_the_rest() -> None:
    batch = random_batch()
    seen, _ = only("glare_probability").vary(batch, generator())
    assert (seen.visible.amax((1, 2, 3)) == 1).all()
    assert (seen.visible >= batch.visible).all()
    assert (seen.visible < 1).flatten(1).float().mean(dim=1).min() > 0.5


def test_electronics_act_on_the_misplaced_infrared_image() -> None:
    batch = random_batch()
    _, alone = only("misregistration_probability").vary(batch, generator())
    seen, reference = CameraVariation(
        CameraSettings(
            **{
                **NEVER,
                "misregistration_probability": 1.0,
                "infrared_gain_probability": 1.0,
                "infrared_gain_stops": 0.0,
                "infrared_offset": 0.0,
            }
        )
    ).vary(batch, generator())
    assert torch.equal(reference.infrared, alone.infrared)
    torch.testing.assert_close(seen.infrared, reference.infrared)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
def test_all_effects_together_stay_in_range_and_leave_labels_alone(seed: int, extreme: float) -> None:
    batch = random_batch()
    batch.visible[0], batch.infrared[0] = extreme, extreme
    before = Batch(*(tensor.clone() for tensor in batch))
    for varied in only(*EFFECTS).vary(batch, generator(seed)):
        for image in (varied.visible, varied.infrared):
            assert image.isfinite().all()
            assert image.min() >= 0
            assert image.max() <= 1
        assert equal(varied._replace(visible=batch.visible, infrared=batch.infrared), before)
    assert equal(batch, before)


def test_items_are_varied_independently_as_often_as_their_probability() -> None:
    batch = Batch(*(tensor[:1].expand(400, *tensor.shape[1:])[..., :4, :4] for tensor in random_batch()))
    variation = CameraVariation(CameraSettings(**{**NEVER, "exposure_probability": 0.3}))
    seen, _ = variation.vary(batch, generator())
    changed = torch.tensor(items_changed(batch.visible, seen.visible))
    assert 0.2 < changed.float().mean() < 0.4
    assert len(seen.visible[changed].flatten(1).unique(dim=0)) == changed.sum()


def test_the_same_seed_gives_the_same_variation_and_another_seed_another() -> None:
    batch, variation = random_batch(), only(*EFFECTS)
    first, again = variation.vary(batch, generator(8)), variation.vary(batch, generator(8))
    assert all(equal(a, b) for a, b in zip(first, again, strict=True))
    other, _ = variation.vary(batch, generator(9))
    assert not torch.equal(first[0].visible, other.visible)
    assert not torch.equal(first[0].infrared, other.infrared)


def test_variation_stays_on_the_device_of_the_sample() -> None:
    for varied in only(*EFFECTS).vary(random_batch("meta"), generator()):
        assert {tensor.device.type for tensor in varied} == {"meta"}


# The effects' equations, computed with NumPy in double precision

Doubles = npt.NDArray[np.float64]


def pictures(channels: int) -> tuple[Tensor, Doubles]:
    image = torch.rand(2, channels, 24, 20, generator=generator(11))
    return image, image.double().numpy()


def linear(x: Doubles) -> Doubles:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def display(x: Doubles) -> Doubles:
    return np.where(x <= 0.0031308, x * 12.92, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)


def parameter(*values: float) -> tuple[Tensor, Doubles]:
    return torch.tensor(values), np.array(values).reshape(-1, 1, 1, 1)


def assert_matches(result: Tensor, expected: Doubles) -> None:
    np.testing.assert_allclose(result, np.clip(expected, 0, 1), atol=2e-5)


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


def test_inversion_makes_hot_black() -> None:
    batch = random_batch()
    seen, _ = only("inversion_probability").vary(batch, generator())
    assert_matches(seen.infrared, 1 - batch.infrared.double().numpy())


def test_infrared_noise_is_white_noise_and_one_number_for_each_column_and_row() -> None:
    image, x = pictures(1)
    white, columns, rows = (
        0.05 * torch.randn(shape, generator=generator())
        for shape in ((2, 1, 24, 20), (2, 1, 1, 20), (2, 1, 24, 1))
    )
    noisy = x + white.double().numpy() + columns.double().numpy() + rows.double().numpy()
    assert_matches(camera_variation.add_infrared_noise(image, white, columns, rows), noisy)


def test_infrared_pattern_is_columns_and_rows_as_strong_as_the_settings_say() -> None:
    batch = random_batch()
    batch.infrared[:] = 0.5
    strength = {"infrared_noise_probability": 1.0, "infrared_noise": 0.0, "infrared_pattern": 0.04}
    seen, _ = CameraVariation(CameraSettings(**{**NEVER, **strength})).vary(batch, generator())
    noise = seen.infrared - 0.5
    rows, columns = noise.mean(dim=-1, keepdim=True), noise.mean(dim=-2, keepdim=True)
    assert (rows.flatten(1).std(dim=1) > 1e-4).all()
    assert (columns.flatten(1).std(dim=1) > 1e-4).all()
    torch.testing.assert_close(noise, rows + columns - noise.mean((-2, -1), True), atol=1e-5, rtol=0)
    spread = noise.flatten(1).std(dim=1)
    assert (spread < 2.0 * 0.04).all()
    assert spread.max() > 0.005


# Settings


def test_settings_pass_through_the_configuration_unchanged() -> None:
    for made in (GeometrySettings(), CameraSettings()):
        assert OmegaConf.to_object(OmegaConf.structured(made)) == made


@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [
        (GeometrySettings, "probability", 1.5, "0 to 1"),
        (GeometrySettings, "scale_min", 0.0, "0.1 to inf"),
        (GeometrySettings, "scale_max", 0.5, "0.8 to inf"),
        (GeometrySettings, "rotation_degrees", -1.0, "0 to inf"),
        (CameraSettings, "glare_probability", -0.1, "0 to 1"),
        (CameraSettings, "glare_radius", 0.0, "0.001 to 1"),
        (CameraSettings, "glare_haze", 1.1, "0 to 1"),
        (CameraSettings, "narrowing_background", 0.2, "0.3 to 1"),
        (CameraSettings, "darkness_electrons", 0.0, "1 to inf"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(
    kind: type[GeometrySettings | CameraSettings], name: str, value: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; expected {expected}"):
        kind(**{name: value})
