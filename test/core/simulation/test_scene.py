from __future__ import annotations

import hashlib
import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.simulation import RoadScene, SimulatedFrame

PERSON = CLASS_NAMES.index("person")


def grey(frame: SimulatedFrame) -> npt.NDArray[np.float64]:
    return frame.visible.mean(axis=2)


def digest(frame: SimulatedFrame) -> str:
    parts = (frame.visible, frame.infrared, frame.label, frame.temperature_celsius)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def around(mask: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    """Pixels within `reach` of the mask, but not in it nor right beside it."""

    def grown(steps: int) -> npt.NDArray[np.bool_]:
        result = mask.copy()
        for _ in range(steps):
            padded = np.pad(result, 1)
            result = (
                padded[1:-1, 1:-1]
                | padded[:-2, 1:-1]
                | padded[2:, 1:-1]
                | padded[1:-1, :-2]
                | padded[1:-1, 2:]
            )
        return result

    return grown(reach) & ~grown(2)


def test_same_arguments_and_time_give_the_same_bytes_in_any_order(night: RoadScene) -> None:
    times = (0.0, 3.3, 1.7)
    again = RoadScene(seed=0, time_of_day="night", height=night.height, width=night.width, infrared_bits=16)
    forwards = {seconds: digest(night.render(seconds)) for seconds in times}
    backwards = {seconds: digest(again.render(seconds)) for seconds in reversed(times)}
    assert forwards == backwards


@pytest.mark.parametrize(
    ("time_of_day", "expected"),
    [("night", "9c96c5083a203473"), ("day", "5f97913b5c1e1dd2")],
)
def test_every_machine_draws_the_same_bytes(time_of_day: str, expected: str) -> None:
    """Golden digests; print digest(frame) for the new ones after a wanted change of the picture."""
    frame = RoadScene(seed=3, time_of_day=time_of_day, height=96, width=128).render(2.3)  # type: ignore[arg-type]
    assert digest(frame)[:16] == expected


def test_seed_and_time_of_day_change_the_picture(night: RoadScene) -> None:
    size = {"height": night.height, "width": night.width}
    digests = {
        digest(RoadScene(0, "night", **size).render(1.0)),
        digest(RoadScene(1, "night", **size).render(1.0)),
        digest(RoadScene(0, "day", **size).render(1.0)),
    }
    assert len(digests) == 3


def test_day_and_night_share_street_and_labels(night: RoadScene, day: RoadScene) -> None:
    np.testing.assert_array_equal(night.render(1.5).label, day.render(1.5).label)


@pytest.mark.parametrize(("height", "width", "bits"), [(64, 64, 8), (64, 301, 16), (222, 97, 8)])
def test_any_size_from_64_up_gives_aligned_images_of_that_size(height: int, width: int, bits: int) -> None:
    frame = RoadScene(2, "night", height, width, bits).render(0.4)  # type: ignore[arg-type]
    assert frame.visible.shape == (height, width, 3)
    assert frame.visible.dtype == np.uint8
    assert frame.infrared.shape == frame.label.shape == frame.temperature_celsius.shape == (height, width)
    assert frame.infrared.dtype == {8: np.uint8, 16: np.uint16}[bits]
    assert frame.label.dtype == np.uint8
    assert frame.temperature_celsius.dtype == np.float32


def test_a_larger_picture_shows_the_same_scene() -> None:
    small = RoadScene(1, "day", 96, 128).render(1.0)
    large = RoadScene(1, "day", 192, 256).render(1.0)
    reduced = grey(large).reshape(96, 2, 128, 2).mean(axis=(1, 3))
    assert np.corrcoef(reduced.ravel(), grey(small).ravel())[0, 1] > 0.9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_class_appears_within_the_default_drive(seed: int) -> None:
    scene = RoadScene(seed, "day", 120, 160)
    seen = np.zeros(len(CLASS_NAMES), int)
    for k in range(7):
        seen += np.bincount(scene.render(float(k)).label.ravel(), minlength=len(CLASS_NAMES))
    missing = [name for name, count in zip(CLASS_NAMES, seen, strict=True) if count < 5]
    assert missing == []


def test_labels_are_class_indices_and_most_of_the_picture_is_unlabelled(
    night_drive: list[SimulatedFrame],
) -> None:
    for frame in night_drive:
        assert frame.label.max() < len(CLASS_NAMES)
        assert 0.6 < (frame.label == 0).mean() < 0.99


def test_people_are_hotter_than_their_surroundings_in_every_night_frame(
    night_drive: list[SimulatedFrame],
) -> None:
    for frame in night_drive:
        people = frame.label == PERSON
        assert people.sum() > 20
        beside = frame.temperature_celsius[around(people, 6) & (frame.label == 0)]
        assert np.median(frame.temperature_celsius[people]) > np.median(beside) + 8.0
        assert np.median(frame.infrared[people]) > np.percentile(frame.infrared[frame.label == 0], 99)


def test_people_stand_out_in_infrared_more_than_in_visible_at_night(
    night_drive: list[SimulatedFrame],
) -> None:
    """Contrast in steps of the picture's own spread."""
    visible, infrared = [], []
    for frame in night_drive:
        people = frame.label == PERSON
        beside = around(people, 6) & (frame.label == 0)
        for image, contrasts in ((grey(frame), visible), (frame.infrared.astype(float), infrared)):
            contrasts.append(abs(image[people].mean() - image[beside].mean()) / image[~people].std())
    assert np.mean(infrared) > 3.0 * np.mean(visible)


def test_eight_bit_infrared_keeps_people_near_white_at_night() -> None:
    frame = RoadScene(0, "night", 120, 160, 8).render(1.0)
    people, rest = frame.infrared[frame.label == PERSON], frame.infrared[frame.label == 0]
    assert np.median(people) > np.percentile(rest, 98)
    assert np.percentile(people, 95) > 180
    assert 50 < np.median(rest) < 140


def test_clear_sky_is_far_colder_than_the_street(night_drive: list[SimulatedFrame], day: RoadScene) -> None:
    for frame in (*night_drive, day.render(0.0)):
        temperature = frame.temperature_celsius
        assert temperature.min() < -10.0
        assert np.median(temperature[-20:]) > temperature.min() + 15.0


def test_sixteen_bit_counts_are_kelvin_over_0_04_within_the_noise(night_drive: list[SimulatedFrame]) -> None:
    frame = night_drive[0]
    expected = (frame.temperature_celsius + 273.15) / 0.04
    difference = frame.infrared.astype(float) - expected
    assert abs(difference.mean()) < 1.0
    assert 0.5 < difference.std() < 5.0
    assert int(frame.infrared.max()) - int(frame.infrared.min()) < 4000  # a sliver of 65536


def test_temporal_noise_changes_between_frames_and_fixed_pattern_stays(night: RoadScene) -> None:
    residuals = []
    for seconds in (0.0, 0.001):
        frame = night.render(seconds)
        residuals.append(frame.infrared - (frame.temperature_celsius + 273.15) / 0.04)
    shared = np.corrcoef(residuals[0].ravel(), residuals[1].ravel())[0, 1]
    assert 0.2 < shared < 0.8


@pytest.mark.parametrize("time_of_day", ["night", "day"])
def test_motion_is_smooth_from_frame_to_frame(time_of_day: str, night: RoadScene, day: RoadScene) -> None:
    scene = night if time_of_day == "night" else day
    frames = [scene.render(2.0 + 0.1 * k) for k in range(6)]
    far = scene.render(5.0)

    def change(first: SimulatedFrame, second: SimulatedFrame) -> float:
        return float(np.abs(grey(first) - grey(second)).mean())

    steps = [change(a, b) for a, b in pairwise(frames)]
    assert max(steps) < 2.0 * min(steps)
    assert max(steps) < 0.6 * change(frames[0], far)
    for a, b in pairwise(frames):
        assert (a.label != b.label).mean() < 0.06
        assert np.abs(a.temperature_celsius - b.temperature_celsius).mean() < 1.0


def test_the_camera_drives_forward_without_end(night: RoadScene) -> None:
    """Long after the street began to repeat there is still traffic and ground, and no gap."""
    frame = night.render(400.0)
    assert np.median(frame.temperature_celsius[-20:]) > 0.0
    assert (frame.label > 0).mean() > 0.02


def test_street_lamps_light_the_night_and_the_sun_the_day(night: RoadScene, day: RoadScene) -> None:
    dark, bright = grey(night.render(2.0)), grey(day.render(2.0))
    assert dark.mean() < 0.5 * bright.mean()
    assert np.percentile(dark, 99.8) > 3.0 * np.median(dark)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"time_of_day": "dusk"}, "time_of_day"),
        ({"height": 63}, "height"),
        ({"width": 10}, "width"),
        ({"infrared_bits": 12}, "infrared_bits"),
    ],
)
def test_bad_arguments_are_named_with_what_was_expected(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(ValueError, match=rf"{named}.* must be .*, got"):
        RoadScene(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-0.1, math.nan, math.inf])
def test_a_time_before_the_start_or_without_end_is_refused(night: RoadScene, seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be finite and 0 or more"):
        night.render(seconds)
