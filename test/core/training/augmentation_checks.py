"""A seeded generator, and a comparison with what NumPy computes, for the tests of augmentation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def generator(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


Doubles = npt.NDArray[np.float64]


def assert_matches(result: Tensor, expected: Doubles) -> None:
    np.testing.assert_allclose(result, np.clip(expected, 0, 1), atol=2e-5)
