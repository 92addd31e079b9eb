"""Thermal gain: order is kept, flat scenes stay flat, the range moves smoothly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.cameras.thermal_gain import (
    GainSettings,
    GreyScale,
    ThermalGain,
    celsius_to_counts,
    percentiles,
    stretch,
)

COUNTS = arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(COUNTS)
def test_hotter_is_never_darker(counts: np.ndarray) -> None:
    levels = stretch(counts)

    assert levels.shape == counts.shape
    assert levels.dtype == np.uint8
    order = np.argsort(counts, axis=None)
    assert np.all(np.diff(levels.ravel()[order].astype(int)) >= 0)


@given(COUNTS)
def test_one_count_is_never_amplified_beyond_one_grey_level(counts: np.ndarray) -> None:
    levels = stretch(counts)

    spread = int(levels.max()) - int(levels.min())
    assert spread <= int(counts.max()) - int(counts.min()) + 1  # 1: rounding


def test_percentiles_become_black_and_white() -> None:
    counts = np.arange(10_000, 20_001, dtype=np.uint16).reshape(73, 137)

    levels = stretch(counts, GainSettings(low_percentile=10.0, high_percentile=90.0))

    assert levels[counts <= 11_000].max() == 0
    assert levels[counts >= 19_000].min() == 255
    assert levels[counts == 15_000] == pytest.approx(127.5, abs=1)


def test_one_hot_pixel_does_not_darken_the_scene() -> None:
    counts = np.random.default_rng(0).integers(8000, 9000, (64, 64), np.uint16)
    burnt = counts.copy()
    burnt[10, 10] = 65_535

    difference = np.abs(stretch(burnt).astype(int) - stretch(counts))
    assert difference[burnt != 65_535].max() <= 1


def test_a_fixed_range_maps_its_ends_to_black_and_white() -> None:
    gain = ThermalGain(GainSettings(fixed_range=(1000.0, 1255.0)))

    levels = gain(np.array([[0, 1000, 1001, 1254, 1255, 65_535]], np.uint16))

    assert levels.tolist() == [[0, 0, 1, 254, 255, 255]]


def test_eight_bits_pass_unchanged_and_uncopied() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)

    assert stretch(image) is image


def test_the_range_follows_a_step_with_the_smoothing_as_weight() -> None:
    cold = np.tile(np.array([1000, 2000], np.uint16), (4, 4))
    warm = cold + np.uint16(1000)
    gain = ThermalGain(GainSettings(low_percentile=0.0, high_percentile=100.0, smoothing=0.75))
    assert gain(cold)[0, :2].tolist() == [0, 255]

    # black 0.75 * 1000 + 0.25 * 2000 = 1250, white 2250: 2000 is at 0.75 of the range.
    assert gain(warm)[0, :2].tolist() == [round(0.75 * 255), 255]
    for _ in range(60):
        settled = gain(warm)
    assert settled[0, :2].tolist() == [0, 255]
    gain.reset()
    assert gain(cold)[0, :2].tolist() == [0, 255]


def test_stretching_one_image_leaves_no_trace_on_the_next() -> None:
    first = np.full((4, 4), 60_000, np.uint16)
    second = np.tile(np.array([1000, 3000], np.uint16), (4, 2))

    before = stretch(second)
    stretch(first)

    assert np.array_equal(stretch(second), before)


@given(arrays(np.uint8, (3, 5)))
def test_eight_bits_of_a_black_hot_camera_are_inverted_and_left_alone_where_they_are(
    image: np.ndarray,
) -> None:
    before = image.copy()

    levels = stretch(image, GainSettings(polarity="black_hot"))

    assert np.array_equal(levels, 255 - before.astype(int))
    assert levels.dtype == np.uint8
    assert np.array_equal(image, before)


@given(COUNTS)
def test_black_hot_counts_are_the_white_hot_ones_inverted(counts: np.ndarray) -> None:
    inverted = stretch(counts, GainSettings(polarity="black_hot")).astype(int)

    assert np.abs(inverted - (255 - stretch(counts).astype(int))).max() <= 1  # rounding


FLAT_SCENES = st.lists(st.integers(0, 65_535 - 9), min_size=1, max_size=30)


@given(FLAT_SCENES, st.floats(0.0, 0.99), st.sampled_from([16.0, 256.0, 4000.0]))
def test_flat_scenes_however_hot_and_cold_stay_flat_over_time(
    levels: list[int], smoothing: float, minimum_span: float
) -> None:
    gain = ThermalGain(GainSettings(minimum_span=minimum_span, smoothing=smoothing))
    for level in levels:
        counts = np.tile(np.arange(level, level + 10, dtype=np.uint16), (4, 1))
        grey = gain(counts)
        assert int(np.ptp(grey)) <= 9 * 255.0 / minimum_span + 1  # 1: rounding


def test_a_larger_minimum_span_holds_from_the_next_frame() -> None:
    counts = np.tile(np.arange(1000, 1010, dtype=np.uint16), (4, 1))
    gain = ThermalGain(GainSettings(minimum_span=1.0))
    assert np.ptp(gain(counts)) == 255

    gain.settings = GainSettings(minimum_span=1000.0)

    assert np.ptp(gain(counts)) <= 3


@pytest.mark.parametrize("fixed", [None, (10_000.0, 20_000.0)])
def test_new_settings_move_the_range_smoothly(fixed: tuple[float, float] | None) -> None:
    counts = np.arange(10_000, 20_001, dtype=np.uint16).reshape(73, 137)
    gain = ThermalGain(GainSettings(0.0, 100.0, fixed_range=fixed))
    before = gain(counts).astype(int)

    gain.settings = GainSettings(20.0, 80.0, smoothing=0.9)
    first = gain(counts).astype(int)

    # One tenth of the way from 10,000 to 12,000 is 200 of 10,000 counts, and as much at the other end.
    assert 0 < np.abs(first - before).max() <= 7
    for _ in range(100):
        settled = gain(counts)
    assert np.abs(settled.astype(int) - stretch(counts, gain.settings)).max() <= 1


def test_tlinear_counts_are_hundredths_of_a_kelvin() -> None:
    assert celsius_to_counts(-20.0, 0.01, -273.15) == pytest.approx(25_315)
    assert celsius_to_counts(100.0, 0.1, -273.15) == pytest.approx(3731.5)


@given(st.floats(-100, 500), st.floats(1e-3, 10), st.floats(-300, 300))
def test_counts_of_a_temperature_mean_that_temperature(celsius: float, scale: float, offset: float) -> None:
    assert scale * celsius_to_counts(celsius, scale, offset) + offset == pytest.approx(celsius, abs=1e-6)


@pytest.mark.parametrize(
    ("celsius", "scale", "offset"),
    [(20.0, 0.0, 0.0), (20.0, -0.01, 0.0), (20.0, float("nan"), 0.0), (float("inf"), 1.0, 0.0)],
)
def test_a_scale_by_which_hotter_is_not_more_is_refused(celsius: float, scale: float, offset: float) -> None:
    with pytest.raises(ValueError, match="expected finite degrees, a scale over 0"):
        celsius_to_counts(celsius, scale, offset)


@pytest.mark.parametrize(
    "settings",
    [
        {"low_percentile": 99.0, "high_percentile": 1.0},
        {"high_percentile": 101.0},
        {"minimum_span": 0.0},
        {"minimum_span": float("nan")},
        {"minimum_span": float("inf")},
        {"smoothing": 1.0},
        {"fixed_range": (5.0, 5.0)},
        {"fixed_range": (0.0, float("inf"))},
        {"polarity": "white"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        GainSettings(**settings)  # type: ignore[arg-type]


@given(st.integers(32, 1100), st.integers(32, 1100))
def test_the_sampling_grid_sees_both_ends_of_any_size(height: int, width: int) -> None:
    counts = np.broadcast_to(np.linspace(0, 60_000, width).astype(np.uint16), (height, width))

    levels = stretch(counts)

    assert levels[:, : max(1, width // 200)].max() == 0
    assert levels[:, -max(1, width // 200) :].min() >= 254


@given(
    st.lists(arrays(np.uint16, (6, 7)), min_size=1, max_size=5), st.sampled_from(["white_hot", "black_hot"])
)
def test_the_scale_that_is_followed_gives_the_levels_of_the_gain_itself(
    frames: list[np.ndarray], polarity: str
) -> None:
    settings = GainSettings(polarity=polarity)  # type: ignore[arg-type]
    gain, follower = ThermalGain(settings), ThermalGain(settings)
    for counts in frames:
        np.testing.assert_array_equal(follower.follow(counts)(counts), gain(counts))
    assert follower.follow(np.zeros((6, 7), np.uint8)) == GreyScale(0.0, 255.0, polarity == "black_hot")


@given(
    arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=40)),
    st.tuples(st.floats(0.0, 100.0), st.floats(0.0, 100.0)),
)
def test_percentiles_are_those_of_numpy(counts: np.ndarray, shares: tuple[float, float]) -> None:
    assert percentiles(counts, shares) == pytest.approx(np.percentile(counts, shares), abs=1e-6)
