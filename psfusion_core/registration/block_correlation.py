"""Correlation of two images by block and shift: how well they agree if each block moves a little."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_OVERLAP = 0.1
"""Least overlap of a block; a smaller overlap would amplify chance."""


class BlockCorrelation:
    """Correlation of the features of image pairs, summed over the pairs, for each block and each shift.

    All pairs have the same registration, so their sum has a clear peak even if no single pair has one.

    Near the edge of the valid pixels a shift leaves fewer pixels to compare. The sums are scaled up by the
    missing share, because otherwise every edge would pull the images inwards.

    Args:
        visible: (B, C, H, W) features, of length 1 over each image.
        infrared: Features of the infrared images, roughly aligned with the visible ones.
        visible_valid: (1, 1, H, W), 1 where there are features, else 0.
        infrared_valid: The same for the infrared features.
        radius: Largest shift, pixels.
        rows: Rows of blocks.
        columns: Columns of blocks.

    Attributes:
        centers: (rows * columns, 2) x and y of the blocks, from the middle of the image, pixels.
        volume: (rows * columns, 1, 2 radius + 1, 2 radius + 1); the sum over the blocks is a correlation in
            [-1, 1] for each shift (down, across).
    """

    def __init__(
        self,
        visible: Tensor,
        infrared: Tensor,
        visible_valid: Tensor,
        infrared_valid: Tensor,
        radius: int,
        rows: int,
        columns: int,
    ) -> None:
        height, width = visible.shape[-2:]
        self.radius = radius
        blocks = (rows, columns)
        sums = _block_means(visible, infrared, radius, blocks)
        overlap = _block_means(visible_valid, infrared_valid, radius, blocks)
        unmoved = overlap[:, :, radius : radius + 1, radius : radius + 1]
        pixels_per_block = height * width / (rows * columns)
        self.volume = sums * (unmoved / overlap.clamp_min(LEAST_OVERLAP)) * (pixels_per_block / len(visible))
        y = ((torch.arange(rows) + 0.5) / rows - 0.5) * height
        x = ((torch.arange(columns) + 0.5) / columns - 0.5) * width
        down_grid, across_grid = torch.meshgrid(y, x, indexing="ij")
        self.centers = torch.stack([across_grid.flatten(), down_grid.flatten()], dim=1)

    def at(self, shifts: Tensor) -> Tensor:
        """Return the correlation with every block moved by its own sub-pixel shift.

        Args:
            shifts: (N, rows * columns, 2) x and y, pixels; beyond the radius the correlation is 0.

        Returns:
            (N,) correlation.
        """
        grid = (shifts / (self.radius + 0.5)).transpose(0, 1)[:, None].to(self.volume.dtype)
        found = F.grid_sample(self.volume, grid, mode="bicubic", padding_mode="zeros", align_corners=False)
        return found[:, 0, 0].sum(dim=0)


def _block_means(first: Tensor, second: Tensor, radius: int, blocks: tuple[int, int]) -> Tensor:
    """Multiply two (B, C, H, W), shift by shift, sum over B and C, and return the mean of each block.

    Returns:
        (blocks, 1, 2 radius + 1, 2 radius + 1); the second tensor is moved up and left by (down, across).
    """
    height, width = first.shape[-2:]
    padded = F.pad(second, (radius,) * 4)
    side = 2 * radius + 1
    means = []
    for down in range(side):
        for across in range(side):
            product = first * padded[..., down : down + height, across : across + width]
            means.append(F.adaptive_avg_pool2d(product.sum(dim=(0, 1))[None], blocks)[0])
    return torch.stack(means, dim=-1).reshape(blocks[0] * blocks[1], 1, side, side)
