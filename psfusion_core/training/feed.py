"""From the recipe to augmented batches: sources opened and labelled, windows cut, crops varied."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from psfusion_core.training.augmentation.camera_variation import CameraVariation
from psfusion_core.training.augmentation.geometry import RandomGeometry
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.mixture import VARIATION, RandomWindows, batch_generator
from psfusion_core.training.data.planes import UNIT_WEIGHT, Sample, to_sample
from psfusion_core.training.data.sources import FolderSource, create_source
from psfusion_core.training.teacher import Teacher
from psfusion_core.training.training_config import TrainConfig


class Feed:
    """Endless augmented batches; batch k depends on the recipe and k alone, on every device.

    Args:
        config: of the run.
        device: to augment on.
        processes: how many share the work.

    Raises:
        FileNotFoundError, ValueError: the data are missing or do not fit; the message names the file.
    """

    def __init__(self, config: TrainConfig, device: torch.device, processes: int = 1) -> None:
        self.config, self.device = config, device
        batches_per_step = config.accumulate * processes
        self.sources = [
            create_source(source, config.labels, config.seed, batches_per_step) for source in config.sources
        ]
        self.summary = [source.summary() for source in self.sources]
        self.geometry = RandomGeometry(config.geometry, config.crop)
        self.cameras = CameraVariation(config.cameras)
        if config.teacher.weights:
            teacher = Teacher(config.teacher, len(LABEL_SETS[config.labels]), device)
            weight = round(config.teacher.weight * UNIT_WEIGHT)
            for source in self.sources:
                if isinstance(source, FolderSource):
                    source.label_unlabelled(teacher.label, weight)

    def windows(self, first: int = 0, stride: int = 1) -> Iterator[Tensor]:
        """Cut the batches of numbers first, first + stride, ... as (B, 7, side, side) uint8 windows."""
        config = self.config
        windows = RandomWindows(
            self.sources,
            [source.weight for source in config.sources],
            self.geometry.window_size(),
            config.object_share,
            config.batch_size,
            config.seed,
            first,
            stride,
        )
        return iter(DataLoader(windows, batch_size=None, num_workers=config.workers))

    def vary(self, windows: Tensor, number: int) -> tuple[Sample, Sample]:
        """Augment the batch of a number: what the network sees, and what its output is compared with."""
        generator = batch_generator(self.config.seed, number, VARIATION)
        crops = self.geometry(windows.to(self.device), generator)
        return self.cameras(to_sample(crops), generator)
