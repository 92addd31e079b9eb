"""The warp on the device against OpenCV, and its coverage and weight."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from psfusion_core.registration.homography import HomographyRegistration
from psfusion_core.registration.infrared_warp import InfraredWarp, feather


def test_warp_equals_the_remap_of_opencv_where_the_infrared_is_seen() -> None:
    matrix = (0.6, 0.02, 3.0, -0.01, 0.62, -2.0, 1e-4, 0.0, 1.0)
    pixel_map = HomographyRegistration(matrix).pixel_map((96, 64), (70, 50))
    infrared = np.random.default_rng(0).uniform(0, 1, (50, 70)).astype(np.float32)
    warp = InfraredWarp(pixel_map, (70, 50), "cpu")
    found = warp(torch.from_numpy(infrared)[None, None])[0, 0].numpy()
    # OpenCV rounds its weights to 1/32 of a pixel.
    expected = cv2.remap(infrared, pixel_map, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = warp.coverage[0, 0].numpy() > 0
    assert 0.5 < seen.mean() < 1.0
    np.testing.assert_allclose(found[seen], expected[seen], atol=0.04)


def test_coverage_ends_at_the_edges_of_the_outermost_pixels_and_at_places_unknown() -> None:
    x = np.array([-0.6, -0.4, 0.0, 6.4, 6.6, np.nan], np.float32)
    pixel_map = np.stack([x, np.full_like(x, 2.0)], axis=-1)[None]
    coverage = InfraredWarp(pixel_map, (7, 5), "cpu").coverage
    assert coverage[0, 0, 0].tolist() == [0, 1, 1, 1, 0, 0]


def test_weight_is_zero_outside_one_inside_and_has_no_step_between() -> None:
    seen = np.zeros((120, 160), bool)
    seen[:, 40:] = True
    weight = feather(seen)
    assert (weight[:, :40] == 0).all()
    assert (weight[:, 50:] == 1).all()
    assert np.abs(np.diff(weight, axis=1)).max() < 0.5
    assert (np.diff(weight, axis=1) >= 0).all()


def test_weight_is_one_up_to_the_border_of_an_image_that_is_seen_whole() -> None:
    assert (feather(np.ones((40, 60), bool)) == 1).all()


def test_an_image_of_another_size_is_refused() -> None:
    warp = InfraredWarp(np.zeros((4, 4, 2), np.float32), (7, 5), "cpu")
    with pytest.raises(ValueError, match=r"\(1, 1, 5, 7\), got \(1, 1, 7, 5\)"):
        warp(torch.zeros(1, 1, 7, 5))
