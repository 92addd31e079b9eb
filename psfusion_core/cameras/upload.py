"""Copies pixels from the host to a device, unconverted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def upload(image: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Copy an image to a device.

    For a GPU the image is copied through page-locked memory, which PyTorch keeps for the next image. The GPU
    reads it while the host goes on. This path has not been run.

    Args:
        image: (H, W) or (H, W, C) uint8 or uint16, with any strides.
        device: The device to copy to.

    Returns:
        A tensor of the same shape and bytes on the device, uint8 or int16 (see
        :func:`psfusion_core.cameras.unpack.counts_of`). On the CPU it is a view of the image if that is
        contiguous and writable.
    """
    # PyTorch supports few operations on uint16.
    pixels = image.view(np.int16) if image.dtype == np.uint16 else image
    if device.type != "cuda":
        # from_numpy accepts neither read-only views of messages nor negative strides (BGR turned to RGB).
        return torch.from_numpy(np.require(pixels, requirements=("C", "W"))).to(device)
    dtype = torch.int16 if pixels.dtype == np.int16 else torch.uint8
    staged = torch.empty(pixels.shape, dtype=dtype, pin_memory=True)
    np.copyto(staged.numpy(), pixels)
    return staged.to(device, non_blocking=True)
