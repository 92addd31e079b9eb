"""Engines that run for days must not grow."""

from __future__ import annotations

import psutil
import pytest
import torch

from psfusion_core.engines import ENGINES
from psfusion_core.models import create_model

FRAMES, WARM_UP = 2000, 200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "onnxruntime"])
def test_resident_size_stays_flat(name: str) -> None:
    if name == "onnxruntime":
        pytest.importorskip("onnxruntime")
    engine = ENGINES[name](create_model(), "cpu", "fp32")
    images = torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)
    process = psutil.Process()
    settled = 0
    for frame in range(WARM_UP + FRAMES):
        engine(*images)
        if frame == WARM_UP:
            settled = process.memory_info().rss
    assert abs(process.memory_info().rss - settled) <= 0.02 * settled
