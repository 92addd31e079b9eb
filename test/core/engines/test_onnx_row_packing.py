"""Convolutions of packed rows equal plain convolutions, borders included."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from psfusion_core.engines.onnx_row_packing import PackedRefinement, unpack


def test_unpacking_puts_the_second_channel_of_a_pair_below_the_first() -> None:
    packed = torch.stack([torch.zeros(2, 3), torch.ones(2, 3)])[None]
    assert unpack(packed)[0, 0].tolist() == [[0.0] * 3, [1.0] * 3, [0.0] * 3, [1.0] * 3]


@pytest.mark.parametrize("size", [(2, 1), (2, 5), (6, 4), (32, 48)])
@torch.no_grad()
def test_packed_refinement_equals_the_plain_one_at_every_pixel(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    refine = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.Identity(), nn.ReLU())
    maps = nn.Conv2d(8, 6, 3, padding=1)
    detail, scene = torch.randn(2, 8, *size), torch.randn(2, 8, *size)
    plain = maps(refine(torch.cat([detail, scene], dim=1)))
    torch.testing.assert_close(PackedRefinement(refine, maps)(detail, scene), plain, atol=1e-5, rtol=0)
