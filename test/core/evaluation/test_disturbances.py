"""What is done to the infrared image, and what methods make of it."""

from __future__ import annotations

import numpy as np

from psfusion_core.evaluation.disturbances import LEVELS, Disturbance, all_disturbances
from psfusion_core.evaluation.method_results import BASELINES

IMAGE = np.random.default_rng(0).integers(60, 190, (48, 64), np.uint8)


def test_the_first_level_of_each_kind_changes_nothing_and_is_measured_once() -> None:
    for kind, levels in LEVELS.items():
        assert Disturbance(kind, levels[0])(IMAGE, "a") is IMAGE
    names = [disturbance.name for disturbance in all_disturbances()]
    assert names[0] == "clean"
    assert len(names) == len(set(names)) == 13


def test_contrast_shrinks_about_the_mean() -> None:
    half = Disturbance("contrast", 0.5)(IMAGE, "a").astype(float)
    np.testing.assert_allclose(half, IMAGE.mean() + 0.5 * (IMAGE - IMAGE.mean()), atol=0.51)


def test_noise_has_its_deviation_and_is_the_same_in_every_run_but_not_for_every_pair() -> None:
    flat = np.full((200, 200), 128, np.uint8)
    noisy = Disturbance("noise", 10.0)(flat, "a")
    assert abs(float(noisy.std()) - 10.0) < 0.3
    assert abs(float(noisy.mean()) - 128.0) < 0.3
    np.testing.assert_array_equal(noisy, Disturbance("noise", 10.0)(flat, "a"))
    assert (noisy != Disturbance("noise", 10.0)(flat, "b")).any()


def test_noise_is_clipped_not_wrapped() -> None:
    white = np.full((50, 50), 255, np.uint8)
    assert Disturbance("noise", 40.0)(white, "a").min() > 60


def test_shift_moves_to_the_right_and_repeats_the_edge() -> None:
    shifted = Disturbance("shift", 4.0)(IMAGE, "a")
    np.testing.assert_array_equal(shifted[:, 4:], IMAGE[:, :-4])
    np.testing.assert_array_equal(shifted[:, :4], np.repeat(IMAGE[:, :1], 4, axis=1))


def test_baselines_are_what_their_names_say() -> None:
    visible, infrared = np.array([[0, 255, 4]], np.uint8), np.array([[1, 255, 9]], np.uint8)
    made = {name: rule(visible, infrared).tolist() for name, rule in BASELINES.items()}
    assert made == {
        "visible": [[0, 255, 4]],
        "infrared": [[1, 255, 9]],
        "average": [[1, 255, 7]],
        "maximum": [[1, 255, 9]],
    }
