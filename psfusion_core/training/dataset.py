"""Aligned infrared-visible pairs on disk, and endless random crops of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import IterableDataset
from tqdm import tqdm

from psfusion_core.classes import CLASS_NAMES
from psfusion_core.images import Pair, pair_folders, read_infrared, read_label, read_visible
from psfusion_core.stream.gain import stretch
from psfusion_core.training.config import SourceConfig
from psfusion_core.training.targets import IGNORE, refine_pseudo_label


class Sample(NamedTuple):
    """One crop (or a batch of crops, with B in front).

    Attributes:
        visible: (3, H, W) float RGB in [0, 1].
        infrared: (1, H, W) float in [0, 1].
        label: (H, W) int64 class indices, 255 where unknown.
    """

    visible: Tensor
    infrared: Tensor
    label: Tensor


@dataclass
class PairFolder:
    """Folders ``vi/ ir/ [label/ or label_pseudo/] [boxes/]`` held in memory: (5, H, W) uint8 an image.

    Planes: red, green, blue, infrared, label (255 where unknown).
    """

    images: list[Tensor]

    @classmethod
    def load(cls, path: str) -> PairFolder:
        """Read every pair of a folder, or of all folders that a pattern such as ``drives/*`` matches.

        A progress bar is drawn.

        Raises:
            FileNotFoundError: no folder matches, or one lacks ``vi``, ``ir`` or a pair.
        """
        roots = [Path(path)] if Path(path).exists() else [Path(root) for root in sorted(glob(path))]
        if not roots:
            raise FileNotFoundError(f"no folder matches {path}: set the path of the source to your data")
        files = [(root, pair) for root in roots for pair in pair_folders(root / "vi", root / "ir").pairs]
        return cls([cls._read(root, pair) for root, pair in tqdm(files, desc=path, unit="pair")])

    @staticmethod
    def _read(root: Path, pair: Pair) -> Tensor:
        visible, infrared = read_visible(pair.visible), stretch(read_infrared(pair.infrared))
        true, predicted = (root / folder / f"{pair.name}.png" for folder in ("label", "label_pseudo"))
        boxes_path = root / "boxes" / f"{pair.name}.txt"
        if true.exists():
            label = read_label(true)
        elif predicted.exists() and boxes_path.exists():
            boxes = np.array(boxes_path.read_text().split(), float).reshape(-1, 5)
            label = refine_pseudo_label(read_label(predicted), infrared, boxes)
        else:
            label = read_label(predicted) if predicted.exists() else np.full_like(infrared, IGNORE)
        if not visible.shape[:2] == infrared.shape == label.shape:
            raise ValueError(
                f"{pair.visible}: visible {visible.shape[:2]}, infrared {infrared.shape} and label "
                f"{label.shape} differ in size: register and crop them to one size first"
            )
        if np.any((label >= len(CLASS_NAMES)) & (label != IGNORE)):
            raise ValueError(
                f"{pair.visible}: its label has class {label[label != IGNORE].max()}; expected 0 to "
                f"{len(CLASS_NAMES) - 1}, or {IGNORE} for unknown"
            )
        planes = np.concatenate([visible, np.stack([infrared, label], axis=-1)], axis=-1)
        return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))


def random_crop(planes: Tensor, size: int, resize: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Cut a random square of a randomly resized, randomly mirrored image: (5, H, W) -> (5, size, size)."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    height, width = planes.shape[-2:]
    side = min(round(size / uniform(*resize)), height, width)
    top, left = int(uniform(0, height - side + 1)), int(uniform(0, width - side + 1))
    crop = planes[:, top : top + side, left : left + side]
    if uniform(0, 1) < 0.5:
        crop = crop.flip(-1)
    if side == size:
        return crop
    images = F.interpolate(crop[None, :4].float(), (size, size), mode="bilinear", antialias=True)
    label = F.interpolate(crop[None, 4:].float(), (size, size), mode="nearest")
    return torch.cat([images, label], dim=1)[0].round().clamp(0, 255).byte()


def to_sample(planes: Tensor) -> Sample:
    """Turn bytes (..., 5, H, W) into what the network and the losses read."""
    image = planes[..., :4, :, :].float() / 255.0
    return Sample(
        visible=image[..., :3, :, :],
        infrared=image[..., 3:, :, :],
        label=planes[..., 4, :, :].long(),
    )


class RandomCrops(IterableDataset[Tensor]):
    """Endless batches (B, 5, size, size) uint8; batch k depends on (seed, k) alone: a run can resume."""

    def __init__(
        self, sources: Sequence[SourceConfig], size: int, batch_size: int, seed: int, first_batch: int = 0
    ) -> None:
        self.sources = list(sources)
        self.folders = [PairFolder.load(source.path) for source in sources]
        self.size, self.batch_size = size, batch_size
        self.seed, self.first_batch = seed, first_batch

    def batch(self, index: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        weights = torch.tensor([source.weight for source in self.sources])
        choices = torch.multinomial(weights, self.batch_size, replacement=True, generator=generator)
        crops = []
        for choice in choices.tolist():
            source, images = self.sources[choice], self.folders[choice].images
            planes = images[int(torch.randint(len(images), (), generator=generator))]
            resize = (source.resize_min, source.resize_max)
            crops.append(random_crop(planes, self.size, resize, generator))
        return torch.stack(crops)

    def __iter__(self) -> Iterator[Tensor]:
        index = self.first_batch
        while True:
            yield self.batch(index)
            index += 1
