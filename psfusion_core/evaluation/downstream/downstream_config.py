"""The recipe of a comparison, and its checks."""

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
    """Simulated drives, rendered once. Training and test use different streets, by night and by day.

    Attributes:
        first_street: The seed of the first street. The next seeds follow: first the training streets, then
            the test streets. The shipped weights were trained on other streets.
        train_streets, test_streets: The number of streets. Every other street is by night.
        frames: The number of frames of each street, 1.7 seconds apart.
        height, width: The size of the images, in pixels.
    """

    first_street: int = 500_000
    train_streets: int = 24
    test_streets: int = 8
    frames: int = 8
    height: int = 240
    width: int = 320


@dataclass
class DownstreamConfig:
    """Everything a comparison depends on. Every combination of input, segmenter and seed is one run.

    Attributes:
        output: The folder of the comparison.
        inputs: The images that segmenters are trained on: ``visible``, ``infrared``, ``average``, the name of
            a fusion network, NAME=FOLDER with a fused image for every pair, or NAME=CHECKPOINT. The first one
            is the reference for the others.
        segmenters: Names in ``NETWORKS``.
        seeds: Seeds of weights, crops and augmentation, the same for every input.
        train, test: Labelled pairs. ``layout: simulator`` in both of them means simulated drives.
        drives: The simulated drives.
        labels: The label set to train with.
        pretrained: A local folder of initial weights, by segmenter.
        steps: Optimizer steps of a run.
        batch_size: Crops in a batch; at least 2, for BatchNorm.
        crop: Height and width of the crops, in pixels.
        object_share: Share of the crops that are centred on an object, if the scene has one.
        optimizer, learning_rate, weight_decay, warmup_steps, gradient_clip: As in the training of a fusion
            network.
        geometry: Geometric augmentation of the crops.
        precision: "32-true", "bf16-mixed", or "auto" for the second on GPUs and the first on CPUs.
        checkpoint_every: Number of steps between checkpoints.
        test_every: Number of steps between the tests for the curves; 0 tests only at the end.
        test_scales: Factors on the image size. The class probabilities at all scales are averaged.
        test_flip: Whether to average with the mirror image too.
        workers: Number of processes that cut crops; 0 cuts them in the training process.
        threads: Number of CPU threads; 0 leaves it to PyTorch.
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
"""Smallest and largest value of each number."""


def load_comparison(path: Path, overrides: Sequence[str] = ()) -> DownstreamConfig:
    """Read a recipe with overrides such as ``steps=200`` or ``inputs.0=visible``.

    Raises:
        ConfigError: A key is unknown (the message names the nearest one), or a value has a wrong type or
            is out of range.
    """
    config = load_recipe(DownstreamConfig, path, overrides)
    check_names(config)
    check_values(config)
    check_data(config)
    return config


def check_names(config: DownstreamConfig) -> None:
    """Raise ConfigError for a name that is unknown or occurs twice."""
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
    """Raise ConfigError for a value that is none of the choices. The message lists them."""
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
    """Raise ConfigError for training and test pairs that a comparison cannot use."""
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
