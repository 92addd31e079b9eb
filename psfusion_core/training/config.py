"""Typed training configuration: YAML file, then ``key=value`` overrides, checked by OmegaConf."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException


class ConfigError(ValueError):
    """A configuration that does not fit; the message says which key and what would."""


@dataclass
class SourceConfig:
    """Aligned pairs: a folder ``vi/ ir/ [label/ or label_pseudo/] [boxes/]``, or a pattern of such folders.

    ``weight`` is the share of a batch drawn from it; ``resize`` the range of factors that its images are
    resized by before cropping.
    """

    path: str = MISSING
    weight: float = 1.0
    resize_min: float = 0.75
    resize_max: float = 1.25


@dataclass
class LossConfig:
    """Weights of the loss terms; 0 leaves a term out."""

    semantic: float = 1.0
    binary: float = 0.5
    boundary: float = 0.5
    correlation: float = 1.0
    gradient: float = 10.0
    intensity: float = 10.0
    reconstruction: float = 1.0


@dataclass
class TrainConfig:
    """Everything a run depends on.

    ``learning_rate`` is reached after ``warmup_steps`` and decays with (1 - step / steps)^0.9.
    """

    model: str = "psfusion_lite"
    output: str = MISSING
    sources: list[SourceConfig] = field(default_factory=list)
    pretrained: bool = True
    initial_weights: str = ""
    steps: int = 4000
    batch_size: int = 8
    crop: int = 224
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 200
    gradient_clip: float = 5.0
    ema_decay: float = 0.998
    checkpoint_every: int = 100
    seed: int = 0
    threads: int = 0
    device: str = "cpu"
    loss: LossConfig = field(default_factory=LossConfig)


def known_keys(cls: type = TrainConfig, prefix: str = "") -> list[str]:
    """List every key of the configuration in dotted form."""
    keys = []
    for item in dataclasses.fields(cls):
        keys.append(prefix + item.name)
        if item.name == "loss":
            keys += known_keys(LossConfig, "loss.")
    return keys


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML recipe and apply overrides such as ``steps=200`` or ``loss.gradient=5``.

    Raises:
        ConfigError: a key is unknown (the nearest known key is named) or a value has the wrong type.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"no such configuration: {path}; recipes are in training/configs/")
    try:
        merged = OmegaConf.merge(
            OmegaConf.structured(TrainConfig), OmegaConf.load(path), OmegaConf.from_dotlist(list(overrides))
        )
        return cast(TrainConfig, OmegaConf.to_object(merged))
    except ConfigKeyError as error:
        key = str(error.full_key or error.key)
        nearest = difflib.get_close_matches(key, known_keys(), 1, 0.0)
        raise ConfigError(
            f"unknown key {key!r} in {path}; the nearest known one is {nearest[0]!r}"
        ) from error
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "?"
        raise ConfigError(f"{path}: {key}: {str(error).splitlines()[0]}") from error
