"""Pictures of what a network gave: those that are wanted, equal to what the host would make of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.fusion.compose import compose, download, label_map, overlay, replace_luma, tint
from psfusion_core.fusion.pictures import Wanted
from psfusion_core.models.classes import PALETTE, colorize
from psfusion_core.models.luma import luma


@given(st.integers(1, 40), st.integers(0, 10_000), st.booleans())
def test_the_label_map_is_the_first_class_of_the_largest_logit(count: int, seed: int, ties: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, 5, 7, generator=generator)
    if ties:
        logits = logits.round()

    np.testing.assert_array_equal(label_map(logits).numpy(), logits.numpy().argmax(axis=0))


def test_a_logit_that_is_not_a_number_labels_nothing() -> None:
    logits = torch.randn(9, 5, 7)
    logits[3, 2, 4] = torch.nan

    labels = label_map(logits)

    assert labels[2, 4] == 0
    assert labels.max() < 9


@given(st.floats(0.0, 1.0), st.integers(0, 10_000))
def test_a_tint_is_the_weighted_mean_of_image_and_class_colour(opacity: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (9, 11, 3), np.uint8)
    mask = random.integers(0, 12, (9, 11), np.uint8)

    tinted = tint(torch.from_numpy(image), torch.from_numpy(mask), opacity).numpy()

    expected = np.rint(opacity * colorize(mask) + (1.0 - opacity) * image)
    labelled = mask != 0
    assert np.abs(tinted - expected)[labelled].max(initial=0.0) <= 1
    np.testing.assert_array_equal(tinted[~labelled], image[~labelled])
    np.testing.assert_array_equal(overlay(image, mask.astype(np.int64), opacity), tinted)


def test_overlay_tints_labelled_pixels_only_and_leaves_the_image_alone() -> None:
    image = np.full((1, 2, 3), 100, np.uint8)
    tinted = overlay(image, np.array([[0, 1]], np.uint8), opacity=0.25)
    np.testing.assert_array_equal(tinted[0, 0], (100, 100, 100))
    np.testing.assert_array_equal(tinted[0, 1], np.rint(100 * 0.75 + PALETTE[1] * 0.25))
    assert (image == 100).all()


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("opacity", [None, 0.5])
def test_the_pictures_that_are_wanted_are_made_and_no_others(
    image: bool, mask: bool, opacity: float | None
) -> None:
    color, fused = torch.rand(1, 3, 40, 50), torch.rand(1, 1, 64, 64)
    logits = torch.randn(1, 9, 64, 64)
    everything = download(compose(Wanted(overlay_opacity=0.5), color, fused, logits, None))

    pictures = download(compose(Wanted(image, mask, opacity), color, fused, logits, None))

    for picture, expected, wanted in zip(
        pictures, everything, (image, mask, opacity is not None), strict=True
    ):
        assert (picture is not None) == wanted
        if picture is not None:
            np.testing.assert_array_equal(picture, expected)


def test_the_fused_image_has_the_fused_luma_where_colours_leave_room() -> None:
    color, fused = 0.4 + 0.2 * torch.rand(1, 3, 40, 50), 0.4 + 0.2 * torch.rand(1, 1, 64, 64)

    image = download(compose(Wanted(), color, fused, torch.randn(1, 9, 64, 64), None)).image

    assert image is not None
    seen = luma(torch.from_numpy(image).permute(2, 0, 1)[None] / 255.0)
    assert (seen - fused[..., :40, :50]).abs().max() < 1.5 / 255.0


unit = st.floats(0, 1, width=32)


def as_image(*channels: float) -> torch.Tensor:
    return torch.tensor(channels).view(1, len(channels), 1, 1)


@given(unit, unit, unit, unit)
def test_new_luma_keeps_the_chroma_and_stays_in_0_1(r: float, g: float, b: float, y: float) -> None:
    old = 0.299 * r + 0.587 * g + 0.114 * b
    cr, cb = 0.713 * (r - old), 0.564 * (b - old)
    expected = np.clip([y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb], 0, 1)
    result = replace_luma(as_image(r, g, b), as_image(y))
    np.testing.assert_allclose(result.flatten(), expected, atol=5e-4)
