"""The training recipe: its keys, their defaults and their allowed values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import MISSING

from psfusion_core.training.augmentation.augmentation_settings import CameraSettings, GeometrySettings
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.recipe import INFINITE, ConfigError, check_numbers, load_recipe


@dataclass
class SourceConfig:
    """One source of scenes.

    Attributes:
        path: Folder of a data set, or a pattern of folders such as ``drives/*``; unused for the simulator.
        layout: Layout of the folder (``LAYOUTS``), "auto" to recognise it, or "simulator" for an endless
            drive with true labels.
        split: Split of the data set, if it has splits.
        weight: How often the source is drawn from, relative to the other sources.
        resize: Factor on the size of its images.
        exclude: Text file with names of pairs to leave out.
    """

    path: str = ""
    layout: str = "auto"
    split: str = "train"
    weight: float = 1.0
    resize: float = 1.0
    exclude: str = ""


@dataclass
class LossConfig:
    """Weights of the loss terms in their sum."""

    semantic: float = 1.0
    binary: float = 0.5
    boundary: float = 0.5
    correlation: float = 0.3
    gradient: float = 200.0
    intensity: float = 20.0
    reconstruction: float = 1.0


@dataclass
class TeacherConfig:
    """Trained networks that label scenes without labels, for self-training or to keep known classes.

    Attributes:
        model: Name of the networks.
        weights: Checkpoints, or "default" for the shipped weights; an empty list means no teacher.
        background_confidence, object_confidence: A pixel is labelled if all networks agree and their mean
            probability is at least this.
        weight: Weight of these labels in the losses, up to 3.
    """

    model: str = "psfusion_lite"
    weights: list[str] = field(default_factory=list)
    background_confidence: float = 0.6
    object_confidence: float = 0.7
    weight: float = 0.5


@dataclass
class TrainConfig:
    """The recipe of a training run.

    Attributes:
        model: Name of the network.
        output: Folder of the run.
        sources: Sources of scenes to learn from.
        validation: Labelled or unlabelled pairs that choose the best weights; no path means no validation.
        teacher: Networks that label scenes without labels.
        labels: Label set to train with (``LABEL_SETS``).
        objective: "blend" (ours) or "paper".
        pretrained: Start the encoders from ImageNet weights.
        initial_weights: Checkpoint to start from, or "default" for the shipped weights.
        frozen: Parts of the network, such as "semantic_heads", whose weights and BatchNorm statistics stay.
        steps: Optimizer steps in total.
        batch_size: Crops in a batch.
        accumulate: Batches of each process whose gradients make one step.
        crop: Height and width of the crops, pixels.
        object_share: Share of the crops that are cut around an object, if the scene has one.
        optimizer: "adamw" or "sgd" (momentum 0.9).
        learning_rate: Peak learning rate. It rises exponentially from a hundredth over ``warmup_steps``, then
            decays with (1 - step / (steps + 1))^0.9.
        weight_decay: Weight decay of the optimizer.
        warmup_steps: Steps of rising learning rate.
        gradient_clip: Largest norm of the gradient; 0 means no limit.
        precision: "32-true" or "bf16-mixed"; "auto" is bf16-mixed on GPUs and 32-true on CPUs.
        ema_decay: Decay of the averaged weights, which are the weights to use.
        checkpoint_every, validate_every, pictures_every: Intervals in steps.
        best_by: Measure that chooses the best weights, "loss" or "mean_iou" of the validation pairs.
        seed: Seed of crops, augmentation and weights.
        workers: Processes that cut windows; 0 means the training process.
        threads: CPU threads; 0 means PyTorch's default.
        device: "auto", "cpu" or "cuda".
        allow_changes: Continue a run even if its recipe changed.
        loss: Weights of the loss terms.
        geometry: Flips, rotation and scale of the crops.
        cameras: Photometric variation of the crops.
    """

    model: str = "psfusion_lite"
    output: str = MISSING
    sources: list[SourceConfig] = field(default_factory=list)
    validation: SourceConfig = field(default_factory=SourceConfig)
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    labels: str = "msrs"
    objective: str = "blend"
    pretrained: bool = True
    initial_weights: str = ""
    frozen: list[str] = field(default_factory=list)
    steps: int = 4000
    batch_size: int = 8
    accumulate: int = 1
    crop: int = 224
    object_share: float = 0.5
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup_steps: int = 200
    gradient_clip: float = 5.0
    precision: str = "auto"
    ema_decay: float = 0.998
    checkpoint_every: int = 100
    validate_every: int = 500
    pictures_every: int = 500
    best_by: str = "loss"
    seed: int = 0
    workers: int = 0
    threads: int = 0
    device: str = "auto"
    allow_changes: bool = False
    loss: LossConfig = field(default_factory=LossConfig)
    geometry: GeometrySettings = field(default_factory=GeometrySettings)
    cameras: CameraSettings = field(default_factory=CameraSettings)


CHOICES = {
    "model": ("psfusion_lite", "psfusion"),
    "labels": tuple(LABEL_SETS),
    "objective": ("blend", "paper"),
    "optimizer": ("adamw", "sgd"),
    "precision": ("auto", "32-true", "bf16-mixed"),
    "best_by": ("loss", "mean_iou"),
    "device": ("auto", "cpu", "cuda"),
}
RANGES: dict[str, tuple[float, float]] = {
    "steps": (1, INFINITE), "batch_size": (1, INFINITE), "accumulate": (1, INFINITE),
    "learning_rate": (1e-12, INFINITE), "weight_decay": (0, INFINITE), "warmup_steps": (0, INFINITE),
    "gradient_clip": (0, INFINITE), "ema_decay": (0, 1), "checkpoint_every": (1, INFINITE),
    "validate_every": (1, INFINITE), "pictures_every": (1, INFINITE), "seed": (0, INFINITE),
    "object_share": (0, 1), "workers": (0, INFINITE), "threads": (0, INFINITE),
    "teacher.background_confidence": (0, 1), "teacher.object_confidence": (0, 1), "teacher.weight": (0, 3),
    **{f"loss.{name}": (0, INFINITE) for name in LossConfig.__dataclass_fields__},
}  # fmt: skip
"""Least and largest value of each number."""


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML recipe and apply overrides: ``steps=200``, ``loss.gradient=5``, ``sources.0.path=my/data``.

    Raises:
        ConfigError: A key is unknown (the message names the nearest one), or a value has a wrong type or is
            out of range.
    """
    config = load_recipe(TrainConfig, Path(path), overrides)
    check_ranges(config)
    return config


def check_ranges(config: TrainConfig) -> None:
    """Raise ConfigError for a value that training cannot use."""
    if config.crop < 32 or config.crop % 32:
        raise ConfigError(f"crop is {config.crop}; expected a multiple of 32, such as 224")
    for name, choices in CHOICES.items():
        if getattr(config, name) not in choices:
            raise ConfigError(f"{name} is {getattr(config, name)!r}; expected one of {', '.join(choices)}")
    check_numbers(config, RANGES)
    check_sources(config)


def check_sources(config: TrainConfig) -> None:
    """Raise ConfigError for sources and validation pairs that training cannot use."""
    if not config.sources:
        raise ConfigError("sources is empty: name at least one folder of pairs")
    for source in config.sources:
        if not source.path and source.layout != "simulator":
            raise ConfigError("a source has no path: name its folder (or layout: simulator)")
        if source.weight < 0 or source.resize <= 0:
            raise ConfigError(f"source {source.path}: expected weight >= 0 and resize > 0")
        if source.path and (source.path, source.split) == (config.validation.path, config.validation.split):
            raise ConfigError(
                f"validation is {source.path}, split {source.split!r}, which is trained on: "
                "choose other pairs or another split"
            )
    if not any(source.weight for source in config.sources):
        raise ConfigError("every source has weight 0: give one of them more")
    if config.validation.layout == "simulator":
        raise ConfigError("the simulator has no end to validate on: name a folder of pairs")
