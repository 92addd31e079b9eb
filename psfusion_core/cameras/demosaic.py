"""Converts Bayer mosaics to RGB."""

from __future__ import annotations

import torch
from torch import Tensor


def demosaic(mosaic: Tensor, pattern: str) -> Tensor:
    """Interpolate a Bayer mosaic bilinearly: each missing colour is the mean of its nearest neighbours.

    Rounding and the outermost pixels, which repeat the pixels beside them, are those of OpenCV.

    Args:
        mosaic: (H, W) uint8, H and W at least 3.
        pattern: Colours of the first two pixels of the first row, then of the second row, such as "rggb".

    Returns:
        (3, H, W) uint8 RGB.
    """
    mosaic = mosaic.to(torch.int16)
    beside = mosaic[:, :-2] + mosaic[:, 2:]
    above_and_below = (mosaic[:-2] + mosaic[2:])[:, 1:-1]
    corners = (beside[:-2] + beside[2:] + 2) >> 2
    beside = beside[1:-1]
    cross = (beside + above_and_below + 2) >> 2
    center = mosaic[1:-1, 1:-1]
    beside, above_and_below = (beside + 1) >> 1, (above_and_below + 1) >> 1

    rgb = mosaic.new_empty((3, *mosaic.shape), dtype=torch.uint8)
    inner = rgb[:, 1:-1, 1:-1]
    for row in (0, 1):
        for column in (0, 1):
            # The inner picture begins one pixel further in.
            here = pattern[2 * (1 - row) + (1 - column)]
            neighbour = pattern[2 * (1 - row) + column]
            if here == "g":
                means = {"g": center, neighbour: beside, other(neighbour): above_and_below}
            else:
                means = {here: center, "g": cross, other(here): corners}
            for channel, color in enumerate("rgb"):
                inner[channel, row::2, column::2] = means[color][row::2, column::2]
    rgb[:, 0], rgb[:, -1] = rgb[:, 1], rgb[:, -2]
    rgb[:, :, 0], rgb[:, :, -1] = rgb[:, :, 1], rgb[:, :, -2]
    return rgb


def other(color: str) -> str:
    """Return red for blue and blue for red."""
    return "b" if color == "r" else "r"
