"""The network that a run starts from: created, given its initial weights, and partly frozen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from psfusion_core.base.wording import nearest
from psfusion_core.models.networks import create_model, find_weights
from psfusion_core.models.weight_files import load_weights
from psfusion_core.training.pretrained import load_imagenet
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.training_config import TrainConfig


def create_network(config: TrainConfig, num_classes: int, resumes: bool) -> nn.Module:
    """Create the network of a recipe, in training mode; a run that resumes needs no initial weights.

    Raises:
        ConfigError: A name in ``config.frozen`` is unknown, or nothing is left to train.
        ValueError, ImportError, OSError: The initial weights are missing or do not fit.
    """
    network: nn.Module = create_model(config.model, num_classes, weights=None)
    if config.initial_weights and not resumes:
        load_weights(network, find_weights(config.model, config.initial_weights))
    elif config.pretrained and not resumes:
        load_imagenet(network)
    network.train()
    freeze(network, config.frozen)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Exclude direct children of a network from training: no gradients, and stored BatchNorm statistics.

    Raises:
        ConfigError: A name is unknown (the message tells the nearest one), or nothing is left to train.
    """
    parts = dict(network.named_children())
    for name in names:
        if name not in parts:
            guess = nearest(name, parts)
            raise ConfigError(f"frozen: the network has no part {name!r}; the nearest is {guess!r}")
        parts[name].requires_grad_(False).eval()
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError("frozen: nothing is left to train")
