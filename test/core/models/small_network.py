"""A small network with all kinds of state, for the tests of its weight files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from psfusion_core.models.weight_files import CheckpointError, load_weights


class Small(nn.Module):
    """A network with all kinds of state: weights, BatchNorm statistics and counter, an integer buffer."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Conv2d(4, classes, 1)
        self.lookup: Tensor
        self.register_buffer("lookup", torch.arange(70_000, 70_005))


def filled(seed: int, classes: int = 3) -> Small:
    torch.manual_seed(seed)
    model = Small(classes)
    nn.init.uniform_(model.norm.weight)
    nn.init.uniform_(model.norm.bias)
    return model


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def refusal(path: Path, model: nn.Module | None = None) -> str:
    """The message with which `path` is refused, after checking that the model stayed as it was."""
    model = model or filled(1)
    before = snapshot(model)
    with pytest.raises(CheckpointError) as refused:
        load_weights(model, path)
    assert same(snapshot(model), before)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)
    return str(refused.value)
