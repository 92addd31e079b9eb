"""Frozen parts of a network keep their weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from psfusion_core.models.networks import create_model
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.starting_network import freeze
from psfusion_core.training.trainer import Trainer
from psfusion_core.training.training_config import TrainConfig


def test_a_frozen_part_keeps_weights_and_statistics_while_the_rest_learns(
    small_config: Callable[..., TrainConfig],
) -> None:
    trainer = Trainer(small_config(frozen=["semantic_heads", "visible_encoder"]))
    before = {name: value.clone() for name, value in trainer.model.module.state_dict().items()}
    trainer.run()
    after = trainer.model.module.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts = {name.split(".")[0] for name in changed}
    assert not parts & {"semantic_heads", "visible_encoder"}
    assert {"infrared_encoder", "sdfm3", "fused_head"} <= parts
    assert any("running_mean" in name for name in changed)


def test_the_average_of_a_frozen_part_is_the_part(small_config: Callable[..., TrainConfig]) -> None:
    trainer = Trainer(small_config(frozen=["semantic_heads"]))
    before = {name: value.clone() for name, value in trainer.average.semantic_heads.state_dict().items()}
    trainer.run()
    for name, value in trainer.average.semantic_heads.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=1e-6, atol=0)


def test_a_part_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="no part 'semantic_head'; the nearest is 'semantic_heads'"):
        freeze(create_model("psfusion_lite", 9, weights=None), ["semantic_head"])


def test_a_network_without_anything_to_learn_is_refused() -> None:
    model = create_model("psfusion_lite", 9, weights=None)
    with pytest.raises(ConfigError, match="nothing is left"):
        freeze(model, [name for name, _ in model.named_children()])
