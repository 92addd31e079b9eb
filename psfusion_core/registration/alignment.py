"""Alignment: one homography for many pairs, estimated coarse to fine by block correlation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.registration.block_correlation import BlockCorrelation
from psfusion_core.registration.edge_structure import dead_border, erode, structure
from psfusion_core.registration.pixel_map import FloatArray

ImagePairs = Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]]
"""Visible (H, W, 3) uint8 RGB and infrared (h, w) uint8, of the same two sizes in all pairs."""

STIFFNESS = 0.03
"""Cost of a departure from a similarity: correlation per mean squared pixel at a width of 320.

Cameras that look the same way differ by little more than a similarity. Parts without edges, such as the sky,
must not bend the rest.
"""

REACH = 2
"""Reach of an edge in the features, pixels; features this close to unseen pixels are not compared."""


@dataclass(frozen=True)
class Level:
    """One level of the search, from coarse to fine.

    Args:
        width: Width of the images, pixels.
        radius: Radius of the search, pixels.
        rows, columns: Number of rows and columns of blocks.
        scale: Largest logarithm of the scale to try; 0 to keep the scale of the level before.
        angle: Largest rotation to try, radians; 0 to keep the rotation of the level before.
        steps: Number of scales and of rotations to try.
    """

    width: int
    radius: int
    rows: int
    columns: int
    scale: float = 0.0
    angle: float = 0.0
    steps: int = 1


LEVELS = (
    Level(80, 13, 3, 4, scale=0.12, angle=0.09, steps=9),
    Level(160, 6, 6, 8, scale=0.03, angle=0.03, steps=5),
    Level(320, 6, 9, 12),
    Level(320, 4, 9, 12),
)


@dataclass(frozen=True)
class Alignment:
    """A homography and how well the images agree under it.

    Attributes:
        matrix: (3, 3) from visible to infrared pixels.
        correlation: Mean correlation of the structure of both images of a pair, in [-1, 1].
        confusion: Mean correlation of a visible image and the infrared images of other pairs.
        repetition: Mean correlation of visible images of different pairs; 1 if the scene never changes.
    """

    matrix: FloatArray
    correlation: float
    confusion: float
    repetition: float


@torch.no_grad()
def align(pairs: ImagePairs, progress: Callable[[], object] = lambda: None) -> Alignment:
    """Estimate the homography of pairs, starting with the same field of view in both images.

    Args:
        pairs: At least two; more pairs with more different scenes give a better estimate.
        progress: Called after each level.
    """
    # In coordinates [-1, 1] x [-1, 1], which cover each image.
    matrix = torch.eye(3, dtype=torch.float64)
    for level in LEVELS:
        visible, infrared = _at_width(pairs, level.width)
        height, width = visible.shape[-2:]
        placed, valid = _warp(infrared, matrix, height, width)
        margin = erode(torch.ones(1, 1, height, width), REACH)
        valid = erode(valid, REACH)
        seen, heat = structure(visible, margin), structure(placed, valid)
        blocks = BlockCorrelation(seen, heat, margin, valid, level.radius, level.rows, level.columns)
        half = torch.tensor([width / 2.0, height / 2.0], dtype=torch.float64)
        corners = _refine(blocks, _search(blocks, level, half), half)
        matrix = matrix @ _homography(corners / half)
        matrix = matrix / matrix[2, 2]
        progress()
    # The last level moved the infrared by less than a pixel: its features serve for the check.
    correlation, confusion = _same_and_other(seen, heat)
    _, repetition = _same_and_other(seen, seen)
    return Alignment(_in_pixels(matrix.numpy(), pairs), correlation, confusion, repetition)


def _same_and_other(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Return the mean correlation of features (B, C, H, W) with their partners, and with all others."""
    count = len(first)
    same = float((first * second).sum())
    everything = float((first.sum(dim=0) * second.sum(dim=0)).sum())
    return same / count, (everything - same) / (count * (count - 1))


def _at_width(pairs: ImagePairs, width: int) -> tuple[Tensor, Tensor]:
    """Return both images of all pairs as (B, 1, H, W) in [0, 1], at the aspect ratio of the visible ones."""
    height = round(width * pairs[0][0].shape[0] / pairs[0][0].shape[1])
    grey = [cv2.cvtColor(visible, cv2.COLOR_RGB2GRAY) for visible, _ in pairs]
    planes = (grey, [infrared for _, infrared in pairs])
    visible, infrared = (
        np.stack([cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images])
        for images in planes
    )
    return _to_tensor(visible), _to_tensor(infrared)


def _to_tensor(images: npt.NDArray[Any]) -> Tensor:
    return torch.from_numpy(images)[:, None].float() / 255.0


def _warp(infrared: Tensor, matrix: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Warp the infrared to the visible pixels; also return (1, 1, H, W), 1 where it shows the scene."""
    y = (torch.arange(height, dtype=torch.float64) + 0.5) * (2.0 / height) - 1.0
    x = (torch.arange(width, dtype=torch.float64) + 0.5) * (2.0 / width) - 1.0
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    points = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1) @ matrix.T
    grid = (points[..., :2] / points[..., 2:]).float()[None]
    alive = F.grid_sample(1.0 - dead_border(infrared), grid, padding_mode="zeros", align_corners=False)
    spread = grid.expand(len(infrared), -1, -1, -1)
    placed = F.grid_sample(infrared, spread, padding_mode="border", align_corners=False)
    return placed, (alive > 0.99).float()


_CORNERS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)


def _search(blocks: BlockCorrelation, level: Level, half: Tensor) -> Tensor:
    """Return the shift of the corners by the best of many similarities, (4, 2), pixels."""
    reach = round(0.9 * level.radius) if level.steps > 1 else 0
    shift = torch.arange(-reach, reach + 1, dtype=torch.float64)
    scale = torch.linspace(-level.scale, level.scale, level.steps, dtype=torch.float64)
    angle = torch.linspace(-level.angle, level.angle, level.steps, dtype=torch.float64)
    grids = torch.meshgrid(shift, shift, scale, angle, indexing="ij")
    right, down, scale, angle = (grid.flatten() for grid in grids)

    def moved(points: Tensor) -> Tensor:
        across, along = (scale.exp() * angle.cos() - 1.0)[:, None], (scale.exp() * angle.sin())[:, None]
        x = across * points[:, 0] - along * points[:, 1] + right[:, None]
        y = along * points[:, 0] + across * points[:, 1] + down[:, None]
        return torch.stack([x, y], dim=-1)

    best = int(blocks.at(moved(blocks.centers.double())).argmax())
    return moved(_CORNERS * half)[best]


@torch.enable_grad()
def _refine(blocks: BlockCorrelation, corners: Tensor, half: Tensor) -> Tensor:
    """Move the four corners, (4, 2) pixels, to the nearest maximum of the correlation."""
    corners = corners.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([corners], max_iter=60, line_search_fn="strong_wolfe")
    bend = _bending(half)

    def closure() -> Tensor:
        optimizer.zero_grad()
        departure = bend @ corners.flatten() * (160.0 / half[0])
        cost = STIFFNESS * departure.square().mean() - blocks.at(_shifts(blocks, corners, half))[0]
        loss = 100.0 * cost  # in the range that suits the tolerances of the optimizer
        torch.autograd.backward(loss)
        return loss

    optimizer.step(closure)
    return corners.detach()


def _bending(half: Tensor) -> Tensor:
    """Return the (8, 8) projection of corner shifts onto the complement of similarities."""
    points = _CORNERS * half
    basis = torch.zeros(8, 4, dtype=torch.float64)
    basis[0::2, 0] = basis[1::2, 1] = 1.0
    basis[0::2, 2], basis[0::2, 3] = points[:, 0], -points[:, 1]
    basis[1::2, 2], basis[1::2, 3] = points[:, 1], points[:, 0]
    return torch.eye(8, dtype=torch.float64) - basis @ torch.linalg.pinv(basis)


def _shifts(blocks: BlockCorrelation, corners: Tensor, half: Tensor) -> Tensor:
    """Return the shift of each block for given shifts of the corners, (1, blocks, 2), pixels."""
    centers = blocks.centers.double()
    matrix = _homography(corners / half)
    points = (centers / half) @ matrix[:, :2].T + matrix[:, 2]
    return (points[:, :2] / points[:, 2:] * half - centers)[None]


def _homography(corners: Tensor) -> Tensor:
    """Return the homography (3, 3) that moves the corners of [-1, 1] x [-1, 1] by (4, 2); differentiable."""
    x, y = _CORNERS.T
    u, v = (_CORNERS + corners).T
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    across = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], dim=1)
    down = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], dim=1)
    entries = torch.linalg.solve(torch.cat([across, down]), torch.cat([u, v]))
    return torch.cat([entries, torch.ones(1, dtype=torch.float64)]).view(3, 3)


def _in_pixels(matrix: FloatArray, pairs: ImagePairs) -> FloatArray:
    """Convert a homography of [-1, 1] x [-1, 1] to one from visible to infrared pixels."""
    inner = [
        np.array([[2.0 / w, 0.0, 1.0 / w - 1.0], [0.0, 2.0 / h, 1.0 / h - 1.0], [0.0, 0.0, 1.0]])
        for h, w in (image.shape[:2] for image in pairs[0])
    ]
    pixels = np.linalg.inv(inner[1]) @ matrix @ inner[0]
    return np.asarray(pixels / pixels[2, 2], np.float64)
