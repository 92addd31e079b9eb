"""Learning rate and averaged weights by step."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from psfusion_core.training.optimization import (
    average_decay,
    create_optimizer,
    learning_rate_factor,
    update_average,
)


def test_the_learning_rate_warms_up_exponentially_then_decays_to_nearly_zero() -> None:
    factors = [learning_rate_factor(step, steps=100, warmup_steps=10) for step in range(101)]
    assert factors[0] == pytest.approx(0.01**0.9)
    assert factors[5] / factors[4] == pytest.approx(factors[1] / factors[0])
    assert max(factors) == factors[9] == 1.0
    assert factors[50] == pytest.approx((51 / 101) ** 0.9)
    assert factors[100] < 0.02
    assert all(a > b for a, b in pairwise(factors[10:]))


def test_averaged_weights_forget_the_start() -> None:
    average, current = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    nn.init.constant_(current.weight, 5.0)
    current.num_batches_tracked += 7
    for step in range(1, 40):
        update_average(average, current, average_decay(step, 0.998))
    assert (average.weight - 5.0).abs().max() < 0.01
    assert average.num_batches_tracked == 7
    assert average_decay(10**6, 0.998) == 0.998


def test_the_papers_optimizer_has_momentum() -> None:
    optimizer = create_optimizer(nn.Linear(1, 1), "sgd", learning_rate=1e-3, weight_decay=5e-4)
    assert isinstance(optimizer, torch.optim.SGD)
    assert (optimizer.defaults["momentum"], optimizer.defaults["weight_decay"]) == (0.9, 5e-4)
