"""Boxes drawn by people: their files, and the pixels inside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

CAR, PERSON, BIKE = 1, 2, 3
BOX_CLASSES = {0: PERSON, 1: BIKE, 2: CAR}
"""Class index by box index: boxes of MSRS have 0 for person, 1 for bicycle and 2 for car."""


class BoxError(ValueError):
    """A file of boxes that cannot be used; the message names the file."""


def read_boxes(path: Path) -> npt.NDArray[np.float64]:
    """Read a file with a line for each box, as (N, 5): class, centre x, centre y, width, height.

    All but the class are fractions of the image.

    Raises:
        BoxError: A line does not have five numbers, or has an unknown class or a box outside the image.
    """
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    try:
        boxes = np.array(rows, np.float64).reshape(-1, 5)
    except ValueError as error:
        raise BoxError(
            f"{path}: expected lines of five numbers, class cx cy width height; got another"
        ) from error
    if not np.isin(boxes[:, 0], list(BOX_CLASSES)).all():
        raise BoxError(f"{path}: expected class 0 (person), 1 (bicycle) or 2 (car) in every line")
    if not ((boxes[:, 1:] >= 0) & (boxes[:, 1:] <= 1)).all():
        raise BoxError(f"{path}: expected fractions of the image, 0 to 1; got pixels?")
    return boxes


def box_slices(
    box: npt.NDArray[np.float64], height: int, width: int, grow: float = 0.0
) -> tuple[slice, slice]:
    """Return the rows and the columns of a box as slices.

    Args:
        box: Class, centre x, centre y, width and height; all but the class are fractions of the image.
        height, width: The size of the image in pixels.
        grow: Share of its size by which the box gets wider and higher.
    """
    _, cx, cy, w, h = box
    half_w, half_h = w * (1 + grow) / 2, h * (1 + grow) / 2
    rows = slice(max(round((cy - half_h) * height), 0), max(round((cy + half_h) * height), 0))
    columns = slice(max(round((cx - half_w) * width), 0), max(round((cx + half_w) * width), 0))
    return rows, columns
