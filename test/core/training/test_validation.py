"""Measures on validation pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from psfusion_core.cameras.image_files import write_image
from psfusion_core.models.networks import create_model
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.training_config import SourceConfig, TrainConfig
from psfusion_core.training.validation import Validation, middle

MakeConfig = Callable[..., TrainConfig]
CPU = torch.device("cpu")


def test_mean_iou_is_one_where_the_labels_are_the_networks_own(small_config: MakeConfig, pairs: Path) -> None:
    config = small_config(validation=SourceConfig(path=str(pairs), split="test"))
    model = create_model(weights=None)
    validation = Validation(config, CPU)
    before = validation.measure(model)
    assert before["loss"] > 0
    assert 0 <= before["mean_iou"] < 0.9
    batch = middle(validation.scenes[0], 32)
    with torch.no_grad():
        own = model(batch.visible, batch.infrared).semantic.max(dim=1).indices[0].byte().numpy()
    label = np.full((80, 96), 255, np.uint8)
    label[8:72] = own  # the middle 64 of 80 rows, all 96 columns
    write_image(pairs / "label_pseudo/a.png", label)
    assert Validation(config, CPU).measure(model)["mean_iou"] == 1.0


def test_without_labels_there_is_a_loss_alone(small_config: MakeConfig, pairs: Path) -> None:
    (pairs / "label_pseudo").rename(pairs / "not_read")
    config = small_config(validation=SourceConfig(path=str(pairs)))
    assert Validation(config, CPU).measure(create_model(weights=None)).keys() == {"loss"}
    with pytest.raises(ConfigError, match="best_by=loss"):
        Validation(small_config(validation=SourceConfig(path=str(pairs)), best_by="mean_iou"), CPU)


@pytest.mark.parametrize(("best_by", "better"), [("loss", 0.5), ("mean_iou", 0.7)])
def test_a_lower_loss_or_a_higher_mean_iou_is_better(
    small_config: MakeConfig, pairs: Path, best_by: str, better: float
) -> None:
    validation = Validation(small_config(validation=SourceConfig(path=str(pairs)), best_by=best_by), CPU)
    assert validation.is_better({best_by: 0.6}, None)
    assert validation.is_better({best_by: better}, 0.6)
    assert not validation.is_better({best_by: 0.6}, 0.6)
    assert not validation.is_better({best_by: 1.2 - better}, 0.6)
