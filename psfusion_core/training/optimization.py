"""The optimizer, its learning rate, and the averaged weights."""

from __future__ import annotations

import torch
from torch import nn

from psfusion_core.training.config import TrainConfig

WARMUP_START = 0.01
DECAY_POWER = 0.9


def create_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW, or SGD with momentum 0.9 as in the paper."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), config.learning_rate, momentum=0.9, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Exponential warm-up from a hundredth, then (1 - step / (steps + 1))^0.9, as in the paper; in (0, 1]."""
    if step < config.warmup_steps:
        return float(WARMUP_START ** (1.0 - (step + 1) / config.warmup_steps))
    return float((1.0 - step / (config.steps + 1)) ** DECAY_POWER)


def average_decay(step: int, config: TrainConfig) -> float:
    """d of the averaged weights: short at first, so that the average forgets the start."""
    return min(config.ema_decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, current: nn.Module, decay: float) -> None:
    """Move averaged weights, and BatchNorm's statistics, towards the current ones: a = d a + (1 - d) w."""
    for mean, value in zip(average.state_dict().values(), current.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1.0 - decay)
        else:
            mean.copy_(value)
