"""Parts of a network that keep their weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from psfusion_core.base.wording import nearest
from psfusion_core.training.recipe import ConfigError


def freeze(model: nn.Module, names: Sequence[str]) -> None:
    """Exclude parts of a network from training: no gradients, and BatchNorm by its stored statistics.

    A part computes then in training what it computes at run time.

    Args:
        model: in training mode.
        names: of its direct children.

    Raises:
        ConfigError: a name is not one of a child; the message names the nearest one.
    """
    parts = dict(model.named_children())
    for name in names:
        if name not in parts:
            guess = nearest(name, parts)
            raise ConfigError(f"frozen: the network has no part {name!r}; the nearest is {guess!r}")
        parts[name].requires_grad_(False).eval()
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigError("frozen: nothing is left to train")
