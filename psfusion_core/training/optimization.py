"""The optimizer, its learning rate, and the averaged weights."""

from __future__ import annotations

import torch
from torch import nn

WARMUP_START = 0.01
DECAY_POWER = 0.9


def create_optimizer(
    model: nn.Module, kind: str, learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW ("adamw"), or SGD with momentum 0.9 as in the paper ("sgd")."""
    if kind == "sgd":
        return torch.optim.SGD(model.parameters(), learning_rate, momentum=0.9, weight_decay=weight_decay)
    return torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)


def learning_rate_factor(step: int, steps: int, warmup_steps: int) -> float:
    """Exponential warm-up from 0.01, then (1 - step / (steps + 1))^0.9, as in the paper; in (0, 1]."""
    if step < warmup_steps:
        return float(WARMUP_START ** (1.0 - (step + 1) / warmup_steps))
    return float((1.0 - step / (steps + 1)) ** DECAY_POWER)


def average_decay(step: int, ema_decay: float) -> float:
    """Decay d of the averaged weights: small at first, so that the average forgets the start."""
    return min(ema_decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, current: nn.Module, decay: float) -> None:
    """Move averaged weights and BatchNorm statistics towards the current ones: a = d a + (1 - d) w."""
    for mean, value in zip(average.state_dict().values(), current.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1.0 - decay)
        else:
            mean.copy_(value)
