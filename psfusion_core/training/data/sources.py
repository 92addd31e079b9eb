"""The sources of scenes: folders of pairs, held in memory, and the endless simulator."""

from __future__ import annotations

import hashlib
import sys
from glob import glob
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from psfusion_core.cameras.image_files import IMAGE_SUFFIXES
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.simulation.scene import RoadScene
from psfusion_core.training.data.box_labels import salient_mask
from psfusion_core.training.data.label_sets import map_labels
from psfusion_core.training.data.layouts import find_dataset
from psfusion_core.training.data.scene_planes import (
    IGNORE,
    INFRARED_PLANE,
    LABEL_PLANE,
    SALIENT_PLANE,
    UNIT_WEIGHT,
    WEIGHT_PLANE,
)
from psfusion_core.training.data.scene_reading import read_planes
from psfusion_core.training.training_config import SourceConfig


class Source(Protocol):
    """Scenes that windows are cut from."""

    def scene(self, batch: int, generator: torch.Generator) -> Tensor:
        """Choose a scene, (7, H, W) uint8 planes, by batch number and generator only."""

    def summary(self) -> dict[str, object]:
        """Describe the data for the record of a run."""


class FolderSource:
    """All scenes of a data set, or of all folders that match a pattern such as ``drives/*``, in memory.

    Raises:
        FileNotFoundError: No folder matches, or a folder has no pair.
        ValueError: A scene cannot be used; the message names its file.
    """

    def __init__(self, config: SourceConfig, labels: str) -> None:
        self.config = config
        roots = [Path(config.path)] if Path(config.path).exists() else map(Path, sorted(glob(config.path)))
        datasets = [find_dataset(root, config.layout, config.split) for root in roots]
        if not datasets:
            raise FileNotFoundError(
                f"no folder matches {config.path}: set the path of the source to your data"
            )
        excluded = read_names(Path(config.exclude)) if config.exclude else frozenset()
        found = [(record, data.label_set) for data in datasets for record in data.records]
        records = [(record, label_set) for record, label_set in found if record.name not in excluded]
        if excluded:
            print(
                f"{config.path}: {len(found) - len(records)} of {len(found)} pairs excluded", file=sys.stderr
            )
        if not records:
            raise FileNotFoundError(f"{config.exclude} excludes every pair of {config.path}")
        unpaired = [path for data in datasets for path in data.unpaired]
        if unpaired:
            print(
                f"{config.path}: {len(unpaired)} files without a partner left out, such as {unpaired[0]}",
                file=sys.stderr,
            )
        bar = tqdm(records, desc=f"reading {config.path}", unit="pair", disable=None)
        self.scenes = [read_planes(record, label_set, labels, config.resize) for record, label_set in bar]
        self.records = [record for record, _ in records]
        self.labels = labels

    def unlabelled(self) -> list[int]:
        """Indices of the scenes that have no labelled pixel."""
        return [i for i, scene in enumerate(self.scenes) if bool((scene[LABEL_PLANE] == IGNORE).all())]

    def set_label(self, index: int, label: Tensor, weight: int) -> None:
        """Give a scene a label map (H, W) uint8, its weight (64 stands for 1.0) and its salient mask.

        A salient mask that was read from a file stays.
        """
        scene = self.scenes[index]
        scene[LABEL_PLANE], scene[WEIGHT_PLANE] = label, weight
        if self.records[index].salient is None:
            mask = salient_mask(scene[LABEL_PLANE].numpy(), scene[INFRARED_PLANE].numpy(), self.labels)
            scene[SALIENT_PLANE] = torch.from_numpy(mask)

    def scene(self, batch: int, generator: torch.Generator) -> Tensor:
        return self.scenes[int(torch.randint(len(self.scenes), (), generator=generator))]

    def summary(self) -> dict[str, object]:
        labelled = sum(bool((scene[LABEL_PLANE] != IGNORE).any()) for scene in self.scenes)
        digest = hashlib.sha256()
        for record, scene in zip(self.records, self.scenes, strict=True):
            digest.update(record.name.encode())
            digest.update(scene.numpy().tobytes())
        return {
            "path": self.config.path,
            "layout": self.config.layout,
            "pairs": len(self.scenes),
            "labelled": labelled,
            "sha256": digest.hexdigest(),
        }


class SimulatedSource:
    """Simulated frames with true labels: a new street every few frames, alternately by night and by day.

    Frames are drawn from a pool. Every few steps a new frame replaces the oldest, so rendering costs little.
    Half of the streets are seen by a 16-bit infrared camera, whose range is stretched to 8 bits.
    """

    POOL = 32
    STEPS_PER_FRAME = 4
    FRAMES_PER_STREET = 8
    SECONDS_BETWEEN_FRAMES = 1.7

    def __init__(self, labels: str, seed: int, batches_per_step: int = 1) -> None:
        self.labels = labels
        self.seed = seed
        self.batches_per_frame = self.STEPS_PER_FRAME * batches_per_step
        self.pool: dict[int, Tensor] = {}
        self.street: tuple[int, RoadScene] | None = None

    def scene(self, batch: int, generator: torch.Generator) -> Tensor:
        oldest = batch // self.batches_per_frame
        wanted = range(oldest, oldest + self.POOL)
        if oldest not in self.pool or wanted[-1] not in self.pool:
            self.pool = {number: frame for number, frame in self.pool.items() if number in wanted}
            missing = [number for number in wanted if number not in self.pool]
            few = len(missing) < self.POOL
            for number in tqdm(missing, desc="simulating", unit="frame", disable=few or None):
                self.pool[number] = self.render(number)
        return self.pool[oldest + int(torch.randint(self.POOL, (), generator=generator))]

    def render(self, number: int) -> Tensor:
        """Render a frame of the endless drive as (7, 480, 640) planes."""
        street, frame = divmod(number, self.FRAMES_PER_STREET)
        if self.street is None or self.street[0] != street:
            time_of_day: Literal["night", "day"] = "night" if street % 2 else "day"
            bits: Literal[8, 16] = 16 if street % 4 < 2 else 8
            self.street = street, RoadScene(self.seed + street, time_of_day, infrared_bits=bits)
        rendered = self.street[1].render(frame * self.SECONDS_BETWEEN_FRAMES)
        label = map_labels(rendered.label, "msrs", self.labels)
        infrared = stretch(rendered.infrared)
        weight = np.full_like(label, UNIT_WEIGHT)
        planes = np.dstack(
            [rendered.visible, infrared, label, weight, salient_mask(label, infrared, self.labels)]
        )
        return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))

    def summary(self) -> dict[str, object]:
        return {"path": "simulator", "first_seed": self.seed}


def create_source(config: SourceConfig, labels: str, seed: int, batches_per_step: int) -> Source:
    """Open the simulator if the layout is "simulator", else the folders."""
    if config.layout == "simulator":
        return SimulatedSource(labels, seed, batches_per_step)
    return FolderSource(config, labels)


def read_names(path: Path) -> frozenset[str]:
    """Read names of pairs, one per line, with or without the suffix of an image file."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return frozenset(
        line[: -len(Path(line).suffix)] if Path(line).suffix.lower() in IMAGE_SUFFIXES else line
        for line in lines
        if line
    )
