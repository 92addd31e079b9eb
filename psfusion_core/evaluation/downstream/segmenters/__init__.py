"""The segmenters of the published comparison, by name, and their common wrapper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.evaluation.downstream.segmenters.banet import BANet
from psfusion_core.evaluation.downstream.segmenters.segformer import create_segformer
from psfusion_core.evaluation.downstream.segmenters.segnext import SegNeXt

NETWORKS: dict[str, Callable[[int, Path | None], nn.Module]] = {
    "segformer_b0": lambda num_classes, pretrained: create_segformer("b0", num_classes, pretrained),
    "segformer_b1": lambda num_classes, pretrained: create_segformer("b1", num_classes, pretrained),
    "segnext_tiny": lambda num_classes, _: SegNeXt(num_classes),
    "banet_18": lambda num_classes, _: BANet(num_classes, 18),
    "banet_34": lambda num_classes, _: BANet(num_classes, 34),
}
PRETRAINED = ("segformer_b0", "segformer_b1")
"""Segmenters that can start from a local folder of published weights; the others start from scratch."""


class Segmenter(nn.Module):
    """A segmentation network that normalises its input: (B, 3, H, W) -> (B, num_classes, H, W).

    Args:
        name: A key of ``NETWORKS``.
        num_classes: Number of classes of the logits.
        mean, std: (3,) mean and deviation of the training images, in [0, 1]. As in the fusion paper, they are
            those of each method's own images.
        pretrained: Local folder of published weights, for the names in ``PRETRAINED``.

    Raises:
        OSError: The folder holds no such weights.
        ImportError: SegFormer's library is missing.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, name: str, num_classes: int, mean: Tensor, std: Tensor, pretrained: Path | None = None
    ) -> None:
        super().__init__()
        self.network = NETWORKS[name](num_classes, pretrained)
        self.register_buffer("mean", mean.reshape(1, 3, 1, 1).float())
        self.register_buffer("std", std.reshape(1, 3, 1, 1).float())

    def forward(self, images: Tensor) -> Tensor:
        """Classify float RGB images in [0, 1], of any height and width from 32."""
        return self.all_logits(images)[0]

    def all_logits(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the logits and those of auxiliary heads, which only training uses; all (B, C, H, W)."""
        coarse = self.network((images - self.mean) / self.std)
        size = images.shape[-2:]
        return tuple(F.interpolate(logits, size, mode="bilinear", align_corners=False) for logits in coarse)
