"""Endless batches of random square windows, cut from the scenes of several sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from psfusion_core.training.data.scene_planes import IGNORE, LABEL_PLANE, WEIGHT_PLANE
from psfusion_core.training.data.sources import Source

WINDOWS, VARIATION, PURPOSES = 0, 1, 2


def batch_generator(seed: int, number: int, purpose: int) -> torch.Generator:
    """Random numbers for one purpose of one batch; other seeds, or other batches, have other numbers."""
    return torch.Generator().manual_seed((seed * 1_000_003 + number) * PURPOSES + purpose)


class RandomWindows(IterableDataset[Tensor]):
    """Endless batches (B, 7, side, side) uint8; batch k depends on (seed, k) only, so that a run can resume.

    Args:
        sources: The sources of scenes.
        weights: How often each source is drawn from, relative to the others.
        side: Height and width of the windows.
        object_share: Share of the windows that are cut around an object (:func:`cut_window`).
        first_batch, stride: Batch numbers are first_batch, first_batch + stride, ...: each of n processes
            takes every n-th batch.
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

    def batch(self, number: int) -> Tensor:
        """Choose a scene for each item of the batch, and cut a window from each scene."""
        generator = batch_generator(self.seed, number, WINDOWS)
        choices = torch.multinomial(self.weights, self.batch_size, replacement=True, generator=generator)
        scenes = [self.sources[choice].scene(number, generator) for choice in choices.tolist()]
        return torch.stack([cut_window(scene, self.side, self.object_share, generator) for scene in scenes])

    def __iter__(self) -> Iterator[Tensor]:
        # DataLoader takes batches from its workers in turn, so each worker makes every n-th batch.
        worker = get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        number = self.first_batch + index * self.stride
        while True:
            yield self.batch(number)
            number += workers * self.stride


def cut_window(planes: Tensor, side: int, object_share: float, generator: torch.Generator) -> Tensor:
    """Cut a random square from a scene: (7, H, W) -> (7, side, side).

    A scene smaller than the window is extended by its border, which has no label.

    Args:
        object_share: Probability that the window is cut around an object, if the scene has one. The object is
            a random pixel of a random class in the scene, and lies in the middle half of the window.
    """
    planes = enlarge(planes, side)
    height, width = planes.shape[-2:]
    places = torch.rand(2, generator=generator)
    top, left = (
        int(place * (length - side + 1)) for place, length in zip(places, (height, width), strict=True)
    )
    if torch.rand((), generator=generator) < object_share:
        row, column = random_object_pixel(planes[LABEL_PLANE], generator)
        if row >= 0:
            inside = side * (0.25 + 0.5 * places)
            top = min(max(row - int(inside[0]), 0), height - side)
            left = min(max(column - int(inside[1]), 0), width - side)
    return planes[:, top : top + side, left : left + side]


def random_object_pixel(label: Tensor, generator: torch.Generator) -> tuple[int, int]:
    """Choose an object class of a label map (H, W) uint8, then a pixel of it; (-1, -1) if there is none."""
    counts = torch.bincount(label.flatten(), minlength=256)
    counts[0] = counts[IGNORE] = 0
    present = counts.nonzero().flatten()
    if not len(present):
        return -1, -1
    chosen = present[int(torch.randint(len(present), (), generator=generator))]
    pixels = (label.flatten() == chosen).nonzero().flatten()
    return divmod(int(pixels[int(torch.randint(len(pixels), (), generator=generator))]), label.shape[1])


def enlarge(planes: Tensor, side: int) -> Tensor:
    """Repeat the border of a scene smaller than side x side; the new pixels have no label and weight 0."""
    height, width = planes.shape[-2:]
    rows, columns = max(side - height, 0), max(side - width, 0)
    if not (rows or columns):
        return planes
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    enlarged = F.pad(planes[None].float(), pads, mode="replicate")[0].byte()
    unknown = ~F.pad(torch.ones((height, width), dtype=torch.bool), pads)
    enlarged[LABEL_PLANE].masked_fill_(unknown, IGNORE)
    enlarged[WEIGHT_PLANE].masked_fill_(unknown, 0)
    return enlarged
