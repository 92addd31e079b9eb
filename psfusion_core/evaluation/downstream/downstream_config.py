"""The recipe of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from psfusion_core.evaluation.downstream.segmenter_inputs import parse_input
from psfusion_core.evaluation.downstream.segmenters import NETWORKS, PRETRAINED
from psfusion_core.training.augmentation.augmentation_settings import GeometrySettings
from psfusion_core.training.recipe import INFINITE, ConfigError, check_numbers, load_recipe
from psfusion_core.training.training_config import CHOICES, SourceConfig


@dataclass
class DrivesConfig:
    """Simulated drives, rendered once: streets of their own for training and for testing, night and day.

    Attributes:
        first_street: seed of the first street; those after it follow, the test's last. The weights that ship
            were trained on other streets.
        train_streets, test_streets: how many; every other one is by night.
        frames: of each street, 1.7 seconds apart.
        height, width: of the images, in pixels.
    """

    first_street: int = 500_000
    train_streets: int = 24
    test_streets: int = 8
    frames: int = 8
    height: int = 240
    width: int = 320


@dataclass
class DownstreamConfig:
    """Everything a comparison depends on. Each input, segmenter and seed together are a run.

    Attributes:
        output: folder of the comparison.
        inputs: what the segmenters are trained on: ``visible``, ``infrared``, ``average``, a fusion network
            by name, NAME=FOLDER with a fused image for every pair, or NAME=CHECKPOINT. The first is what the
            others are compared with.
        segmenters: names in ``NETWORKS``.
        seeds: of weights, crops and augmentation; alike for every input.
        train, test: labelled pairs; ``layout: simulator`` for drives of both.
        drives: those drives.
        labels: label set to train with.
        pretrained: by segmenter, a local folder of weights to start from.
        steps: optimizer steps of a run.
        batch_size: crops in a batch; at least 2, for BatchNorm.
        crop: height and width of the crops.
        object_share: how many crops are cut round an object, where the scene has one.
        optimizer, learning_rate, weight_decay, warmup_steps, gradient_clip: as in training a fusion network.
        geometry: how the crops are varied.
        precision: "32-true" or "bf16-mixed"; "auto" is the second on GPUs and the first on CPUs.
        checkpoint_every: in steps.
        test_every: mean IoU for the curves, in steps; 0 for the end alone.
        test_scales: factors on the images' size, whose class probabilities are averaged.
        test_flip: average with the mirror image too.
        workers: processes that cut crops; 0 does it in the training process.
        threads: of the CPU; 0 leaves PyTorch's choice.
        device: "auto", "cpu" or "cuda".
    """

    output: str = MISSING
    inputs: list[str] = field(default_factory=lambda: ["visible", "infrared", "average", "psfusion_lite"])
    segmenters: list[str] = field(default_factory=lambda: ["segformer_b0", "segnext_tiny", "banet_18"])
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    train: SourceConfig = field(default_factory=SourceConfig)
    test: SourceConfig = field(default_factory=lambda: SourceConfig(split="test"))
    drives: DrivesConfig = field(default_factory=DrivesConfig)
    labels: str = "msrs"
    pretrained: dict[str, str] = field(default_factory=dict)
    steps: int = 20000
    batch_size: int = 8
    crop: int = 256
    object_share: float = 0.5
    optimizer: str = "adamw"
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    warmup_steps: int = 100
    gradient_clip: float = 5.0
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    precision: str = "auto"
    checkpoint_every: int = 500
    test_every: int = 0
    test_scales: list[float] = field(default_factory=lambda: [1.0])
    test_flip: bool = False
    workers: int = 0
    threads: int = 0
    device: str = "auto"


RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, INFINITE), "batch_size": (2, INFINITE), "object_share": (0, 1),
    "learning_rate": (1e-12, INFINITE), "weight_decay": (0, INFINITE), "warmup_steps": (0, INFINITE),
    "gradient_clip": (0, INFINITE), "checkpoint_every": (1, INFINITE), "test_every": (0, INFINITE),
    "workers": (0, INFINITE), "threads": (0, INFINITE),
    "drives.first_street": (0, INFINITE), "drives.train_streets": (1, INFINITE),
    "drives.test_streets": (1, INFINITE), "drives.frames": (1, INFINITE),
    "drives.height": (64, INFINITE), "drives.width": (64, INFINITE),
}  # fmt: skip
"""Least and largest value of each number."""


def load_comparison(path: Path, overrides: Sequence[str] = ()) -> DownstreamConfig:
    """Read a recipe with overrides such as ``steps=200`` or ``inputs.0=visible``.

    Raises:
        ConfigError: a key is unknown (the nearest known one is named), or a value has a wrong type or range.
    """
    config = load_recipe(DownstreamConfig, path, overrides)
    check_names(config)
    check_values(config)
    check_data(config)
    return config


def check_names(config: DownstreamConfig) -> None:
    """Raise ConfigError for a name that stands for nothing, or stands twice."""
    for key in ("labels", "optimizer", "precision", "device"):
        one_of(key, getattr(config, key), CHOICES[key])
    for name in config.segmenters:
        one_of("segmenters", name, NETWORKS)
    for name in config.pretrained:
        one_of("pretrained", name, PRETRAINED)
    names = {"inputs": [parse_input(entry).name for entry in config.inputs]}
    lists: dict[str, Sequence[object]] = {**names, "segmenters": config.segmenters, "seeds": config.seeds}
    for key, values in lists.items():
        if not values or len(set(values)) < len(values):
            raise ConfigError(f"{key} is {list(values)}; expected at least one, and none twice")


def one_of(key: str, value: str, choices: Sequence[str] | dict[str, Any]) -> None:
    """Raise ConfigError, which lists the choices, for a value that is none of them."""
    if value not in choices:
        raise ConfigError(f"{key} has {value!r}; expected one of {', '.join(choices)}")


def check_values(config: DownstreamConfig) -> None:
    """Raise ConfigError for a number that is out of range."""
    if config.crop < 32 or config.crop % 32:
        raise ConfigError(f"crop is {config.crop}; expected a multiple of 32, such as 256")
    check_numbers(config, RANGES)
    if min(config.seeds) < 0:
        raise ConfigError(f"seeds has {min(config.seeds)}; expected 0 or more")
    if not config.test_scales or not all(0.25 <= scale <= 4 for scale in config.test_scales):
        raise ConfigError(
            f"test_scales is {config.test_scales}; expected factors of 0.25 to 4, such as [1.0]"
        )


def check_data(config: DownstreamConfig) -> None:
    """Raise ConfigError for training and test pairs that cannot be compared on."""
    simulated = [source.layout == "simulator" for source in (config.train, config.test)]
    if any(simulated) and not all(simulated):
        raise ConfigError("train and test must both have layout simulator, or neither")
    for key, source in (("train", config.train), ("test", config.test)):
        if not source.path and not any(simulated):
            raise ConfigError(f"{key} has no path: name the folder of its pairs (or layout: simulator)")
        if source.resize <= 0:
            raise ConfigError(f"{key}.resize is {source.resize}; expected more than 0")
    if config.train.path and (config.train.path, config.train.split) == (config.test.path, config.test.split):
        raise ConfigError(f"test is {config.test.path}, split {config.test.split!r}, which is trained on")
