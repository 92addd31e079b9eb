"""The batches of a run: sources -> windows -> crops -> camera variation."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from psfusion_core.training.augmentation.camera_variation import CameraVariation
from psfusion_core.training.augmentation.random_crop import RandomCrop
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.random_windows import VARIATION, RandomWindows, batch_generator
from psfusion_core.training.data.scene_planes import Batch, to_batch
from psfusion_core.training.data.sources import FolderSource, create_source
from psfusion_core.training.teacher import Teacher
from psfusion_core.training.training_config import TrainConfig


class TrainingBatches:
    """Endless augmented batches; batch k depends on the recipe and k only, on every device.

    The batches are augmented on the device, and shared among the processes that train together.

    Raises:
        FileNotFoundError, ValueError: The data are missing or do not fit; the message names the file.
    """

    def __init__(self, config: TrainConfig, device: torch.device, processes: int = 1) -> None:
        self.config, self.device, self.processes = config, device, processes
        self.sources = [
            create_source(source, config.labels, config.seed, config.accumulate * processes)
            for source in config.sources
        ]
        self.source_summaries = [source.summary() for source in self.sources]
        if config.teacher.weights:
            teacher = Teacher(config.teacher, len(LABEL_SETS[config.labels]), device)
            for source in self.sources:
                if isinstance(source, FolderSource):
                    teacher.label_source(source)
        self.random_crop = RandomCrop(config.geometry, config.crop)
        self.camera_variation = CameraVariation(config.cameras)

    def windows(self, first_batch: int = 0) -> Iterator[Tensor]:
        """Cut the windows of this process, (B, 7, S, S) uint8 on the CPU, batch by batch."""
        config = self.config
        windows = RandomWindows(
            self.sources,
            [source.weight for source in config.sources],
            self.random_crop.window_size(),
            config.object_share,
            config.batch_size,
            config.seed,
            first_batch,
            stride=self.processes,
        )
        return iter(DataLoader(windows, batch_size=None, num_workers=config.workers))

    def augment(self, windows: Tensor, number: int) -> tuple[Batch, Batch]:
        """Augment the windows of batch `number`.

        Returns:
            The batch that the network sees, and the reference that the losses compare its output with.
        """
        generator = batch_generator(self.config.seed, number, VARIATION)
        crops = self.random_crop.cut(windows.to(self.device), generator)
        return self.camera_variation.vary(to_batch(crops), generator)
