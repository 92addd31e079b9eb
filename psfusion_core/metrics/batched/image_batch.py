"""The one check and conversion that every batched metric's images go through."""

from __future__ import annotations

import torch
from torch import Tensor


def check_batch(minimum_side: int, **images: Tensor) -> list[Tensor]:
    """Return batches of luma images as (B, H, W) float64 with values 0 to 255, on their device.

    Args:
        minimum_side: smallest H and W in pixels that every metric asked for is defined for.
        images: (B, H, W) or (B, 1, H, W) uint8 by the name of the argument they came in.

    Raises:
        ValueError: an image is not such a tensor, is too small, or differs in size or device.
    """
    planes: list[Tensor] = []
    first_name, first = next(iter(images.items()))
    for name, image in images.items():
        if not isinstance(image, Tensor) or image.dtype != torch.uint8 or not _is_grey(image):
            found = (
                f"{tuple(image.shape)} {image.dtype}" if isinstance(image, Tensor) else type(image).__name__
            )
            raise ValueError(
                f"evaluate_batch: {name} must be a (B, H, W) or (B, 1, H, W) uint8 luma tensor, got {found};"
                " convert colour to luma and scale to 0-255 first"
            )
        if len(image) == 0 or min(image.shape[-2:]) < minimum_side:
            raise ValueError(
                f"evaluate_batch: {name} must be one or more images of at least {minimum_side} x"
                f" {minimum_side} pixels, got {tuple(image.shape)}"
            )
        plane = image.reshape(len(image), *image.shape[-2:])
        if planes and (plane.shape != planes[0].shape or image.device != first.device):
            raise ValueError(
                f"evaluate_batch: {name} is {tuple(image.shape)} on {image.device} but {first_name} is"
                f" {tuple(first.shape)} on {first.device}; make them one size on one device first"
            )
        planes.append(plane)
    return [plane.to(torch.float64) for plane in planes]


def _is_grey(image: Tensor) -> bool:
    return image.ndim == 3 or (image.ndim == 4 and image.shape[1] == 1)
