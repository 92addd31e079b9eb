"""Endless batches from several sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from psfusion_core.training.data.sources import Source, cut_window


def batch_seed(seed: int, number: int) -> int:
    """Seed of one batch; runs with other seeds share none of the first million."""
    return seed * 1_000_003 + number


class RandomWindows(IterableDataset[Tensor]):
    """Endless batches (B, 7, side, side) uint8; batch k depends on (seed, k) alone: a run can resume.

    Args:
        sources: where scenes come from.
        weights: how often each source is drawn from, relative to the others.
        side: height and width of the windows.
        first_batch, step: batch numbers are first_batch, first_batch + step, ...: each of several processes
            takes every n-th batch.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        weights: Sequence[float],
        side: int,
        batch_size: int,
        seed: int,
        first_batch: int = 0,
        step: int = 1,
    ) -> None:
        self.sources, self.weights = list(sources), torch.tensor(weights)
        self.side, self.batch_size, self.seed = side, batch_size, seed
        self.first_batch, self.step = first_batch, step

    def batch(self, index: int) -> Tensor:
        generator = torch.Generator().manual_seed(batch_seed(self.seed, index))
        choices = torch.multinomial(self.weights, self.batch_size, replacement=True, generator=generator)
        scenes = [self.sources[choice].scene(index, generator) for choice in choices.tolist()]
        return torch.stack([cut_window(scene, self.side, generator) for scene in scenes])

    def __iter__(self) -> Iterator[Tensor]:
        index = self.first_batch
        while True:
            yield self.batch(index)
            index += self.step
