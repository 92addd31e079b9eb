"""From the recipe to augmented batches: sources opened and labelled, windows cut, crops varied."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from psfusion_core.color import luma
from psfusion_core.training.augmentation.cameras import CameraVariation
from psfusion_core.training.augmentation.geometry import RandomGeometry
from psfusion_core.training.config import TrainConfig
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.mixture import RandomWindows, batch_seed
from psfusion_core.training.data.planes import Sample, to_sample
from psfusion_core.training.data.sources import FolderSource, create_source
from psfusion_core.training.losses.blend import blend_target
from psfusion_core.training.teacher import Teacher


class Feed:
    """Endless augmented batches; batch k depends on the recipe and k alone, on every device.

    Args:
        config: of the run.
        device: to augment on.

    Raises:
        FileNotFoundError, ValueError: the data are missing or do not fit; the message names the file.
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.sources = [create_source(source, config.labels, config.seed) for source in config.sources]
        self.summary = [source.summary() for source in self.sources]
        self.geometry = RandomGeometry(config.geometry, config.crop)
        self.cameras = CameraVariation(config.cameras)
        if config.teacher.weights:
            teacher = Teacher(config.teacher, len(LABEL_SETS[config.labels]), device)
            for source in self.sources:
                if isinstance(source, FolderSource):
                    teacher.label(source.scenes)

    def windows(self, first: int = 0, step: int = 1) -> Iterator[Tensor]:
        """Cut the batches of numbers first, first + step, ... as (B, 7, side, side) uint8 windows."""
        config = self.config
        windows = RandomWindows(
            self.sources,
            [source.weight for source in config.sources],
            self.geometry.window_size(),
            config.batch_size,
            config.seed,
            first,
            step,
        )
        return iter(DataLoader(windows, batch_size=None, num_workers=config.workers))

    def vary(self, windows: Tensor, number: int) -> tuple[Sample, Sample]:
        """Augment the batch of a number: what the network sees, and what its output is compared with."""
        generator = torch.Generator().manual_seed(batch_seed(self.config.seed, number))
        crops = self.geometry(windows.to(self.device), generator)
        return self.cameras(to_sample(crops), generator)


def first_batch(config: TrainConfig) -> tuple[Sample, dict[str, Tensor]]:
    """Make the first batch of a run, and the pictures beside its targets that ``--inspect`` draws."""
    feed = Feed(config, torch.device("cpu"))
    seen, reference = feed.vary(next(feed.windows()), 0)
    pictures = {"compared: visible": reference.visible, "compared: infrared": reference.infrared}
    if config.objective == "blend":
        pictures["brightness to reach"] = blend_target(luma(reference.visible), reference.infrared)
    return seen, pictures
