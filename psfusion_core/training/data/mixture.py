"""Endless batches from several sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from psfusion_core.training.data.sources import Source
from psfusion_core.training.data.windows import cut_window

WINDOWS, VARIATION, PURPOSES = 0, 1, 2


def batch_generator(seed: int, number: int, purpose: int) -> torch.Generator:
    """Randomness of one batch for one purpose; runs of other seeds share none of the first million."""
    return torch.Generator().manual_seed((seed * 1_000_003 + number) * PURPOSES + purpose)


class RandomWindows(IterableDataset[Tensor]):
    """Endless batches (B, 7, side, side) uint8; batch k depends on (seed, k) alone: a run can resume.

    Args:
        sources: where scenes come from.
        weights: how often each source is drawn from, relative to the others.
        side: height and width of the windows.
        object_share: how many of them are cut round an object (:func:`cut_window`).
        first_batch, stride: batch numbers are first_batch, first_batch + stride, ...: each of several
            processes takes every n-th batch.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        weights: Sequence[float],
        side: int,
        object_share: float,
        batch_size: int,
        seed: int,
        first_batch: int = 0,
        stride: int = 1,
    ) -> None:
        self.sources, self.weights = list(sources), torch.tensor(weights)
        self.side, self.object_share = side, object_share
        self.batch_size, self.seed = batch_size, seed
        self.first_batch, self.stride = first_batch, stride

    def batch(self, index: int) -> Tensor:
        generator = batch_generator(self.seed, index, WINDOWS)
        choices = torch.multinomial(self.weights, self.batch_size, replacement=True, generator=generator)
        scenes = [self.sources[choice].scene(index, generator) for choice in choices.tolist()]
        return torch.stack([cut_window(scene, self.side, self.object_share, generator) for scene in scenes])

    def __iter__(self) -> Iterator[Tensor]:
        # The loader takes turns between its workers: with a share each, batches come in order.
        worker = get_worker_info()
        share, shares = (worker.id, worker.num_workers) if worker else (0, 1)
        index = self.first_batch + share * self.stride
        while True:
            yield self.batch(index)
            index += shares * self.stride
