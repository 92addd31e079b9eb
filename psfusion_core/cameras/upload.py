"""Pixels from the host to a device, as the bytes that they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def upload(image: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Bring an image to a device.

    To a GPU it goes through page-locked memory, which PyTorch keeps for the next image and which the GPU
    reads by itself while the host goes on; that part has not been run.

    Args:
        image: (H, W) or (H, W, C) uint8 or uint16, of any strides.
        device: where to.

    Returns:
        The same shape and bytes on the device, uint8 or int16
        (see :func:`psfusion_core.cameras.unpack.counts_of`); on the CPU a view of the image where it is
        contiguous and may be written.
    """
    # PyTorch can do little with uint16.
    pixels = image.view(np.int16) if image.dtype == np.uint16 else image
    if device.type != "cuda":
        # from_numpy takes neither a read-only view of a message nor negative strides (BGR turned RGB).
        return torch.from_numpy(np.require(pixels, requirements=("C", "W"))).to(device)
    dtype = torch.int16 if pixels.dtype == np.int16 else torch.uint8
    staged = torch.empty(pixels.shape, dtype=dtype, pin_memory=True)
    np.copyto(staged.numpy(), pixels)
    return staged.to(device, non_blocking=True)
