"""Random square windows of a scene."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.training.data.planes import IGNORE, LABEL_PLANE, WEIGHT_PLANE


def cut_window(planes: Tensor, side: int, object_share: float, generator: torch.Generator) -> Tensor:
    """Cut a random square of a scene: (7, H, W) -> (7, side, side).

    A scene that is too small is continued by its border, which is ignored in the label.

    Args:
        object_share: probability of a window round an object, where the scene has one: of a random class of
            those present, at a random pixel of it, which then lies in the middle half of the window.
    """
    planes = enlarge(planes, side)
    height, width = planes.shape[-2:]
    places = torch.rand(2, generator=generator)
    top, left = (
        int(place * (length - side + 1)) for place, length in zip(places, (height, width), strict=True)
    )
    if torch.rand((), generator=generator) < object_share:
        row, column = random_object_pixel(planes[LABEL_PLANE], generator)
        if row >= 0:
            inside = side * (0.25 + 0.5 * places)
            top = min(max(row - int(inside[0]), 0), height - side)
            left = min(max(column - int(inside[1]), 0), width - side)
    return planes[:, top : top + side, left : left + side]


def random_object_pixel(label: Tensor, generator: torch.Generator) -> tuple[int, int]:
    """Choose an object class of a label map (H, W) uint8, then a pixel of it; (-1, -1) if there is none."""
    counts = torch.bincount(label.flatten(), minlength=256)
    counts[0] = counts[IGNORE] = 0
    present = counts.nonzero().flatten()
    if not len(present):
        return -1, -1
    chosen = present[int(torch.randint(len(present), (), generator=generator))]
    pixels = (label.flatten() == chosen).nonzero().flatten()
    return divmod(int(pixels[int(torch.randint(len(pixels), (), generator=generator))]), label.shape[1])


def enlarge(planes: Tensor, side: int) -> Tensor:
    """Continue a scene smaller than side x side by its border, there unknown in label and without weight."""
    height, width = planes.shape[-2:]
    rows, columns = max(side - height, 0), max(side - width, 0)
    if not (rows or columns):
        return planes
    pads = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    enlarged = F.pad(planes[None].float(), pads, mode="replicate")[0].byte()
    unknown = ~F.pad(torch.ones((height, width), dtype=torch.bool), pads)
    enlarged[LABEL_PLANE].masked_fill_(unknown, IGNORE)
    enlarged[WEIGHT_PLANE].masked_fill_(unknown, 0)
    return enlarged
