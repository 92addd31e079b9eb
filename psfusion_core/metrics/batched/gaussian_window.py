"""Means under a sliding Gaussian window, where the window lies wholly inside the images of a batch."""

from __future__ import annotations

from kornia.filters import get_gaussian_kernel1d
from torch import Tensor


def windowed_mean(images: Tensor, size: int, sigma: float) -> Tensor:
    """Return the Gaussian-weighted means of all whole size x size windows, (B, H, W) -> (B, H', W')."""
    weights = get_gaussian_kernel1d(size, sigma, device=images.device, dtype=images.dtype)[0]
    # Sums of shifted images: PyTorch's convolutions of doubles take ten times as long on a CPU.
    for dim in (1, 2):
        length = images.shape[dim] - size + 1
        total = images.narrow(dim, 0, length) * weights[0]
        for offset in range(1, size):
            total.addcmul_(images.narrow(dim, offset, length), weights[offset])
        images = total
    return images
