"""RandomCrop: all planes of a scene are turned, scaled and cropped jointly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from augmentation_checks import generator
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from psfusion_core.training.augmentation.augmentation_settings import GeometrySettings
from psfusion_core.training.augmentation.random_crop import RandomCrop

CROP = 32
LABEL, WEIGHT, SALIENT = 4, 5, 6


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
