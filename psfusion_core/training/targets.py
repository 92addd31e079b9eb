"""Targets that the losses need, derived from what a data set has (network.md, "Training facts")."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch.nn.functional as F
from torch import Tensor

IGNORE = 255
BOX_CLASSES = {0: 2, 1: 3, 2: 1}
"""Class index by box index: the boxes of MSRS name person, bicycle and car 0, 1 and 2."""
PERSON = 2
FOUND_SHARE = 0.25


def box_slices(
    box: npt.NDArray[np.float64], height: int, width: int, grow: float = 0.0
) -> tuple[slice, slice]:
    """Turn (class, centre x, centre y, width, height) in fractions into row and column slices.

    ``grow`` widens the box by that share of its size on all sides together.
    """
    _, cx, cy, w, h = box
    half_w, half_h = w * (1 + grow) / 2, h * (1 + grow) / 2
    rows = slice(max(round((cy - half_h) * height), 0), max(round((cy + half_h) * height), 0))
    columns = slice(max(round((cx - half_w) * width), 0), max(round((cx + half_w) * width), 0))
    return rows, columns


def refine_pseudo_label(
    label: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    """Correct a predicted label map where boxes drawn by people contradict it.

    Unlabelled pixels of a person's box that are warmer than its Otsu threshold become person. Where a box
    still has less than a quarter of its class, its unlabelled pixels are ignored, and so are pixels of a
    boxed class outside every box of that class: both are likely mistakes, but the truth is not known.

    Args:
        label: (H, W) uint8 predicted class indices.
        infrared: (H, W) uint8, hot is white.
        boxes: (N, 5) class (0 person, 1 bicycle, 2 car), centre x, centre y, width, height as fractions.

    Returns:
        (H, W) uint8, 255 where ignored.
    """
    height, width = label.shape
    refined = label.copy()
    for box_class, class_index in BOX_CLASSES.items():
        far = label == class_index
        for box in boxes[boxes[:, 0] == box_class]:
            far[box_slices(box, height, width, grow=0.1)] = False
            inside = box_slices(box, height, width)
            patch, warmth = refined[inside], np.ascontiguousarray(infrared[inside])
            if not patch.size:
                continue
            if class_index == PERSON:
                _, warm = cv2.threshold(warmth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
                patch[(warm > 0) & (patch == 0)] = PERSON
            if np.mean(patch == class_index) < FOUND_SHARE:
                patch[patch == 0] = IGNORE
        refined[far] = IGNORE
    return refined


def binary_target(label: Tensor) -> Tensor:
    """Object or background: (B, H, W) class indices -> the same shape, 1 where the class is not 0."""
    return (label > 0).long().masked_fill(label == IGNORE, IGNORE)


def boundary_target(label: Tensor, radius: int = 1) -> Tensor:
    """Class boundaries: 1 where another class lies within ``radius`` pixels, (B, H, W) -> (B, H, W).

    Pixels within ``radius`` of an ignored one are ignored too: what lies there is not known.
    """
    values = label.float().unsqueeze(1)
    size = 2 * radius + 1
    highest = F.max_pool2d(values, size, 1, radius)
    lowest = -F.max_pool2d(-values, size, 1, radius)
    return (highest != lowest).long().masked_fill(highest == IGNORE, IGNORE).squeeze(1)
