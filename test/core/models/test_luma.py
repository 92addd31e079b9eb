"""Luma against the formula of the paper, computed independently in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.models.luma import luma

unit = st.floats(0, 1, width=32)


def as_image(*channels: float) -> torch.Tensor:
    return torch.tensor(channels).view(1, len(channels), 1, 1)


@given(unit, unit, unit)
def test_luma_is_the_stated_weighted_sum(r: float, g: float, b: float) -> None:
    np.testing.assert_allclose(luma(as_image(r, g, b)).item(), 0.299 * r + 0.587 * g + 0.114 * b, atol=1e-6)
