"""Agreement of a label map with boxes, for images with drawn boxes instead of label maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .segmentation import LabelMap

#: A box is found if more than this share of its pixels has its class.
FOUND_COVER = 0.25


@dataclass(frozen=True)
class BoxAgreement:
    """How well the pixels of one class agree with its boxes; the counts of several images add up.

    Attributes:
        boxes: Number of boxes.
        found: Number of boxes that are found.
        pixels_outside: Number of pixels of the class that lie in none of its boxes.
    """

    boxes: int = 0
    found: int = 0
    pixels_outside: int = 0

    @property
    def share_found(self) -> float:
        """found / boxes, NaN without boxes."""
        return self.found / self.boxes if self.boxes else math.nan

    def __add__(self, other: BoxAgreement) -> BoxAgreement:
        return BoxAgreement(
            self.boxes + other.boxes, self.found + other.found, self.pixels_outside + other.pixels_outside
        )


def box_agreement(
    labels: LabelMap, boxes: npt.NDArray[np.integer], classes: Sequence[int]
) -> dict[int, BoxAgreement]:
    """Return for each class how many of its boxes are found and how many of its pixels lie outside them.

    A box is found if more than a quarter (`FOUND_COVER`) of its pixels has its class. Parts of a box outside
    the image do not count, nor does a box without a pixel in the image.

    Args:
        labels: (H, W) class indices of any integer dtype.
        boxes: (N, 5) of any integer dtype: class, x0, y0, x1, y1 in pixels; column x1 and row y1 lie outside.
        classes: The classes to report, which must include those of the boxes.

    Raises:
        ValueError: An argument is not of that form, or a box has a class that is not reported.
    """
    for name, array, shape in (("labels", labels, "(H, W)"), ("boxes", boxes, "(N, 5)")):
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu" or array.ndim != 2:
            found = f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"box_agreement: {name} must be an {shape} integer NumPy array, got {found}")
    if boxes.shape[1] != 5:
        raise ValueError(
            f"box_agreement: boxes must have the 5 columns class, x0, y0, x1, y1, got shape {boxes.shape}"
        )
    if unknown := sorted(set(boxes[:, 0].tolist()) - set(classes)):
        raise ValueError(f"box_agreement: boxes have class {unknown[0]}, which is not among {list(classes)}")
    return {index: _of_class(labels == index, boxes[boxes[:, 0] == index, 1:]) for index in classes}


def _of_class(carries: npt.NDArray[np.bool_], boxes: npt.NDArray[np.integer]) -> BoxAgreement:
    outside = carries.copy()
    covers = []
    for x0, y0, x1, y1 in np.maximum(boxes, 0).tolist():
        inside = slice(y0, y1), slice(x0, x1)
        outside[inside] = False
        if carries[inside].size:
            covers.append(float(np.mean(carries[inside])))
    return BoxAgreement(len(covers), sum(cover > FOUND_COVER for cover in covers), int(outside.sum()))
