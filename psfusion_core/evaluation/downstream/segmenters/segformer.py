"""SegFormer, of the ``transformers`` library.

Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", NeurIPS
2021.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

HIDDEN_SIZES = {"b0": (32, 64, 160, 256), "b1": (64, 128, 320, 512)}
"""Channels of the four stages (table 6 of the paper); all else is alike in MiT-B0 and MiT-B1."""


def create_segformer(size: str, num_classes: int, pretrained: Path | None = None) -> SegFormer:
    """Build SegFormer with a Mix Transformer encoder of size "b0" or "b1".

    Args:
        pretrained: local folder in the library's format (``config.json`` and weights), such as a copy of
            ``nvidia/mit-b0``; a classifier of other classes in it is left out. Nothing is downloaded.

    Raises:
        ImportError: the library is missing.
        OSError: the folder holds no such weights.
    """
    try:
        from transformers import SegformerConfig, SegformerForSemanticSegmentation
    except ImportError as error:
        raise ImportError(f"{error}: SegFormer needs pip install '.[downstream]'") from error
    if pretrained is None:
        config = SegformerConfig(hidden_sizes=list(HIDDEN_SIZES[size]))
        config.num_labels = num_classes
        return SegFormer(SegformerForSemanticSegmentation(config))
    if not (pretrained / "config.json").is_file():  # a name would be looked up on the library's hub
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
