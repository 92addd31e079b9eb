"""The infrared image laid on the visible one, and both padded to what networks take."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.models.input_check import pad_to_multiple
from psfusion_core.models.luma import luma
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.registration.infrared_warp import InfraredWarp

SIZE_MULTIPLE = PSFusion.size_multiple
"""Of the height and width of what networks and ONNX files take; the same for both networks."""


def lay_on_visible(heat: Tensor, color: Tensor, warp: InfraredWarp | None) -> Tensor:
    """Bring an infrared image (1, 1, h, w) onto the pixels of the visible one, (1, 3, H, W).

    What the infrared camera does not see is filled with the visible luma: the network has nothing to add
    there, so that little of the edge reaches into what both cameras see.
    """
    if warp is None:
        return resize(heat, *color.shape[-2:])
    return torch.lerp(luma(color), warp(heat), warp.weight)


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """Scale (B, C, h, w); an image of that size is returned as it is."""
    if image.shape[-2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def pad(*images: Tensor) -> list[Tensor]:
    """Pad (1, C, H, W) images to what the networks take."""
    return [pad_to_multiple(image, SIZE_MULTIPLE) for image in images]
