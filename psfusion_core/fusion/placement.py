"""Lays the infrared image on the visible one, and pads both to a size that networks take."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.models.input_size import pad_to_multiple
from psfusion_core.models.luma import luma
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.registration.infrared_warp import InfraredWarp

SIZE_MULTIPLE = PSFusion.size_multiple
"""Both networks and ONNX files take heights and widths that are multiples of this."""


def lay_on_visible(infrared: Tensor, visible: Tensor, warp: InfraredWarp | None) -> Tensor:
    """Lay an infrared image (1, 1, h, w) onto the pixels of the visible image (1, 3, H, W).

    Pixels outside the infrared field of view get the visible luma. The network has nothing to add there,
    so the edge hardly affects the area that both cameras see.
    """
    if warp is None:
        return resize(infrared, *visible.shape[-2:])
    return torch.lerp(luma(visible), warp(infrared), warp.weight)


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """Scale (B, C, h, w) to a size; an image of that size is returned unchanged."""
    if image.shape[-2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def pad(*images: Tensor) -> list[Tensor]:
    """Pad (1, C, H, W) images to a size that the networks take."""
    return [pad_to_multiple(image, SIZE_MULTIPLE) for image in images]
