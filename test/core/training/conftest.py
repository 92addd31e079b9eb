"""Small folders of pairs and recipes for the training tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from psfusion_core.cameras.image_files import write_image
from psfusion_core.training.augmentation.augmentation_settings import CameraSettings, GeometrySettings
from psfusion_core.training.training_config import SourceConfig, TrainConfig


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two pairs of 96 x 80, one of them with a predicted label."""
    rng = np.random.default_rng(0)
    for folder in ("vi", "ir", "label_pseudo"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
    for name in "ab":
        write_image(tmp_path / f"pairs/vi/{name}.png", rng.integers(0, 255, (80, 96, 3), np.uint8))
        write_image(tmp_path / f"pairs/ir/{name}.png", rng.integers(0, 255, (80, 96), np.uint8))
    write_image(tmp_path / "pairs/label_pseudo/a.png", rng.integers(0, 9, (80, 96), np.uint8))
    return tmp_path / "pairs"


@pytest.fixture
def small_config(pairs: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """Make the recipe of a run that takes a second."""

    def make(run: str = "run", **changes: object) -> TrainConfig:
        settings: dict[str, object] = {
            "sources": [SourceConfig(path=str(pairs))], "pretrained": False, "steps": 4, "batch_size": 2,
            "crop": 64, "warmup_steps": 2, "checkpoint_every": 2, "device": "cpu",
        }  # fmt: skip
        return TrainConfig(output=str(tmp_path / run), **{**settings, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def no_variation() -> dict[str, object]:
    """Settings of a recipe whose crops are bytes of the images."""
    none = {name: 0.0 for name in vars(CameraSettings()) if name.endswith("probability")}
    return {
        "geometry": GeometrySettings(flip=False, probability=0.0),
        "cameras": CameraSettings(**none),
    }
