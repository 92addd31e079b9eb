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
    """Create the network of a recipe, in training mode.

    Args:
        config: The recipe of the run.
        num_classes: Number of classes of the network.
        resumes: Whether a checkpoint of the run will be loaded, so that no initial weights are needed.

    Raises:
        ConfigError: A name in ``config.frozen`` is unknown, or nothing is left to train.
        ValueError, FileNotFoundError: The initial weights are missing or do not fit.
        ImportError, OSError: The ImageNet weights are missing.
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
    """Exclude parts of a network from training: no gradients, and BatchNorm uses its stored statistics.

    A frozen part computes the same in training as at run time.

    Args:
        network: The network, in training mode.
        names: Names of its direct children.

    Raises:
        ConfigError: A child has none of the names, and the message tells the nearest name; or nothing is left
            to train.
    """
    parts = dict(network.named_children())
    for name in names:
        if name not in parts:
            guess = nearest(name, parts)
            raise ConfigError(f"frozen: the network has no part {name!r}; the nearest is {guess!r}")
        parts[name].requires_grad_(False).eval()
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError("frozen: nothing is left to train")
