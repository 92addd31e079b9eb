"""SegFormer from the library ``transformers``.

Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", NeurIPS
2021.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

HIDDEN_SIZES = {"b0": (32, 64, 160, 256), "b1": (64, 128, 320, 512)}
"""Channels of the four stages (table 6 of the paper). Everything else is equal in MiT-B0 and MiT-B1."""


def create_segformer(size: str, num_classes: int, pretrained: Path | None = None) -> SegFormer:
    """Build SegFormer with a Mix Transformer encoder of size "b0" or "b1".

    Args:
        pretrained: Local folder in the library's format (``config.json`` and weights), such as a copy of
            ``nvidia/mit-b0``. A classifier for other classes is not loaded. Nothing is downloaded.

    Raises:
        ImportError: The library is missing.
        OSError: The folder holds no such weights.
    """
    try:
        from transformers import SegformerConfig, SegformerForSemanticSegmentation
    except ImportError as error:
        raise ImportError(f"{error}: SegFormer needs pip install '.[downstream]'") from error
    if pretrained is None:
        config = SegformerConfig(hidden_sizes=list(HIDDEN_SIZES[size]))
        config.num_labels = num_classes
        return SegFormer(SegformerForSemanticSegmentation(config))
    if not (pretrained / "config.json").is_file():  # otherwise the library would look on its hub
        raise OSError(f"{pretrained} has no config.json: name a local folder of SegFormer weights")
    return SegFormer(
        SegformerForSemanticSegmentation.from_pretrained(
            pretrained, num_labels=num_classes, ignore_mismatched_sizes=True, local_files_only=True
        )
    )


class SegFormer(nn.Module):
    """Normalised images (B, 3, H, W) -> logits (B, num_classes, H / 4, W / 4)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (self.network(pixel_values=images).logits,)
