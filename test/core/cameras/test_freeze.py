"""Frozen cameras: a picture that stands still is found, noise and darkness are not taken for it."""

from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from psfusion_core.cameras.freeze_detector import FreezeDetector, fingerprint, is_uniform

SECOND = 10**9
IMAGES = arrays(
    st.sampled_from([np.uint8, np.uint16]),
    array_shapes(min_dims=2, max_dims=3, max_side=12),
    fill=st.nothing(),
)


def noise(seed: int, shape: tuple[int, ...] = (480, 640, 3)) -> np.ndarray:
    """Make the least noise that a camera has: a scene, one level up here and there."""
    scene = cv2.resize(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5, shape[1::-1])
    image = scene if len(shape) == 2 else np.repeat(scene[..., None], shape[2], axis=2)
    return image + (np.random.default_rng(seed).random(shape) < 0.02).astype(np.uint8)


@given(st.binary(max_size=300))
def test_equal_content_has_one_fingerprint_in_whatever_it_comes(content: bytes) -> None:
    assert fingerprint(content) == fingerprint(array("B", content)) == fingerprint(memoryview(content))


@given(st.binary(min_size=1, max_size=300), st.integers(0, 299), st.integers(1, 255))
def test_in_small_content_every_byte_counts(content: bytes, position: int, change: int) -> None:
    changed = bytearray(content)
    changed[position % len(content)] ^= change

    assert fingerprint(changed) != fingerprint(content)
    assert fingerprint(content + b"\0") != fingerprint(content)


@pytest.mark.parametrize(
    "shape", [(480, 640), (480, 640, 3), (512, 640, 2), (1080, 1920, 3), (1200, 1600, 4)]
)
def test_the_noise_of_a_camera_changes_the_fingerprint(shape: tuple[int, ...]) -> None:
    assert len({fingerprint(noise(seed, shape)) for seed in range(8)}) == 8


def test_the_noise_of_a_camera_changes_the_fingerprint_of_its_files() -> None:
    files = [cv2.imencode(".jpg", noise(seed))[1] for seed in range(8)]

    assert len({fingerprint(file) for file in files}) == 8


@given(IMAGES)
def test_uniform_means_that_all_pixels_are_equal(image: np.ndarray) -> None:
    assert is_uniform(image) == all(np.array_equal(pixel, image[0, 0]) for row in image for pixel in row)
    assert is_uniform(np.broadcast_to(image[0, 0], image.shape))


def test_black_in_any_layout_is_uniform_and_a_lamp_in_it_is_not() -> None:
    black = np.broadcast_to(np.array([128, 16], np.uint8), (1080, 1920, 2))  # uyvy
    assert is_uniform(black)

    lamp = black.copy()
    lamp[500:520, 900:920, 1] = 235

    assert not is_uniform(lamp)


def test_a_dark_camera_is_not_reported_in_the_way_the_detector_is_used() -> None:
    detector = FreezeDetector(1.0)
    night, hung = np.zeros((48, 64), np.uint8), noise(0, (48, 64))

    def frozen(image: np.ndarray, seconds: int) -> bool:
        return detector.update(fingerprint(image), seconds * SECOND) and not is_uniform(image)

    assert [frozen(night, seconds) for seconds in range(5)] == [False] * 5
    assert [frozen(hung, seconds) for seconds in range(5, 10)] == [False, False, True, True, True]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2 * SECOND)), max_size=40),
    st.sampled_from([0.5, 3.0]),
)
def test_a_picture_is_frozen_once_it_has_come_for_longer_than_allowed(
    frames: list[tuple[int, int]], limit: float
) -> None:
    detector = FreezeDetector(limit)
    now, since, before = 0, 0, -1
    for picture, pause in frames:
        now += pause
        if picture != before:
            before, since = picture, now
        assert detector.update(picture, now) == (now - since > limit * SECOND)


@given(st.lists(st.integers(0, 10 * SECOND), max_size=20))
def test_zero_seconds_turn_the_detector_off(arrivals: list[int]) -> None:
    detector = FreezeDetector(0.0)

    assert not any(detector.update(7, arrival) for arrival in sorted(arrivals))


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_that_makes_no_sense_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="expected a time of 0 s or more"):
        FreezeDetector(seconds)
