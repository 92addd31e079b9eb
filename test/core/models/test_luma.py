"""Luma and chroma against the formulas of the paper, computed independently in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.models.luma import luma, replace_luma

unit = st.floats(0, 1, width=32)


def as_image(*channels: float) -> torch.Tensor:
    return torch.tensor(channels).view(1, len(channels), 1, 1)


@given(unit, unit, unit)
def test_luma_is_the_stated_weighted_sum(r: float, g: float, b: float) -> None:
    np.testing.assert_allclose(luma(as_image(r, g, b)).item(), 0.299 * r + 0.587 * g + 0.114 * b, atol=1e-6)


@given(unit, unit, unit, unit)
def test_new_luma_keeps_the_chroma_and_stays_in_0_1(r: float, g: float, b: float, y: float) -> None:
    old = 0.299 * r + 0.587 * g + 0.114 * b
    cr, cb = 0.713 * (r - old), 0.564 * (b - old)
    expected = np.clip([y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb], 0, 1)
    result = replace_luma(as_image(r, g, b), as_image(y))
    np.testing.assert_allclose(result.flatten(), expected, atol=5e-4)
