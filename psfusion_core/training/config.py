"""Typed training configuration: YAML file, then ``key=value`` overrides, checked by OmegaConf."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException
from yaml import YAMLError


class ConfigError(ValueError):
    """A configuration that does not fit; the message says which key and what would."""


@dataclass
class SourceConfig:
    """Aligned pairs: a folder ``vi/ ir/ [label/ or label_pseudo/] [boxes/]``, or a pattern of such folders.

    ``weight`` is how often it is drawn from, relative to the other sources; its images are resized by a
    random factor from ``resize_min`` to ``resize_max`` before cropping.
    """

    path: str = MISSING
    weight: float = 1.0
    resize_min: float = 0.75
    resize_max: float = 1.25


@dataclass
class LossConfig:
    """Weights of the loss terms in their sum."""

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
    device: str = "auto"
    loss: LossConfig = field(default_factory=LossConfig)


def known_keys() -> list[str]:
    """List every key of the configuration in dotted form."""
    nested = {"loss": LossConfig, "sources.0": SourceConfig}
    keys = [item.name for item in dataclasses.fields(TrainConfig)]
    for prefix, part in nested.items():
        keys += [f"{prefix}.{item.name}" for item in dataclasses.fields(part)]
    return keys


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML recipe and apply overrides: ``steps=200``, ``loss.gradient=5``, ``sources.0.path=my/data``.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named), or a value has a wrong type or range.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"no such configuration: {path}; see training/configs/ in the source tree")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(TrainConfig), OmegaConf.load(path))
        for override in overrides:
            key, equals, _ = override.partition("=")
            if not equals:
                raise ConfigError(f"expected key=value, got {override!r}")
            OmegaConf.update(merged, key, OmegaConf.select(OmegaConf.from_dotlist([override]), key))
        config = cast(TrainConfig, OmegaConf.to_object(merged))
    except (ConfigKeyError, ConfigAttributeError) as error:
        key = str(error.full_key or error.key)
        nearest = difflib.get_close_matches(re.sub(r"\[\d+\]", ".0", key), known_keys(), 1, 0.0)
        raise ConfigError(
            f"unknown key {key!r} in {path}; the nearest known one is {nearest[0]!r}"
        ) from error
    except (OmegaConfBaseException, YAMLError, TypeError, AttributeError) as error:
        key = str(getattr(error, "full_key", None) or "?")
        raise ConfigError(f"{path}: {key}: {str(error).splitlines()[0]}") from error
    check_ranges(config)
    return config


def check_ranges(config: TrainConfig) -> None:
    """Raise ConfigError for a value that training cannot work with."""
    if not config.sources:
        raise ConfigError("sources is empty: name at least one folder of pairs")
    if config.crop < 32 or config.crop % 32:
        raise ConfigError(f"crop is {config.crop}; expected a multiple of 32, such as 224")
    for name in ("steps", "batch_size", "checkpoint_every"):
        if getattr(config, name) < 1:
            raise ConfigError(f"{name} is {getattr(config, name)}; expected 1 or more")
    for source in config.sources:
        if source.weight < 0 or not 0 < source.resize_min <= source.resize_max:
            raise ConfigError(f"source {source.path}: expected weight >= 0 and 0 < resize_min <= resize_max")
