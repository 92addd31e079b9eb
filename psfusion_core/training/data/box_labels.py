"""Labels from boxes: boxes drawn by people correct a label map, and salient objects follow from it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.metrics.box_files import BIKE, BOX_CLASSES, CAR, PERSON, box_slices
from psfusion_core.training.data.label_sets import CLASS_OF_MSRS, LABEL_SETS
from psfusion_core.training.data.scene_planes import IGNORE, UNIT_WEIGHT

COVERAGE = {CAR: 0.6, PERSON: 0.3, BIKE: 0.5}
"""Least share of a box that its class covers; a box with less is filled, as real objects cover more."""
ROUNDNESS = {CAR: 4.0, PERSON: 2.0, BIKE: 4.0}
SALIENT_CLASSES = frozenset(CLASS_OF_MSRS) | {"bike"}
UNCHECKED = UNIT_WEIGHT // 2
FILLED = UNIT_WEIGHT * 3 // 4
LARGEST_WEIGHT = 3.0
WHOLE_WEIGHT_SIDE = 64.0


class WeightedLabel(NamedTuple):
    """A label map and the weight of each pixel in the losses.

    Attributes:
        label: (H, W) uint8 class indices, 255 if unknown.
        weight: (H, W) uint8, 64 stands for 1.0.
    """

    label: npt.NDArray[np.uint8]
    weight: npt.NDArray[np.uint8]


def correct_by_boxes(
    predicted: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float64]
) -> WeightedLabel:
    """Correct a predicted label map where boxes drawn by people contradict it.

    Boxed classes become background outside their boxes. Classes without boxes have half the weight. A box
    that its class hardly covers is filled (:func:`fill_box`); smaller boxes are filled first, because they
    are usually in front. Pixels in small boxes have up to three times the weight, so that far objects are not
    lost among the pixels of near ones.

    Boxes must be complete for their three classes. An image without any box counts as not annotated and is
    returned unchanged.

    Args:
        predicted: (H, W) uint8 class indices; all zero without a prediction.
        infrared: (H, W) uint8, hot is white.
        boxes: (N, 5) class (0 person, 1 bicycle, 2 car), centre x, centre y, width, height as fractions.
    """
    label = predicted.copy()
    weight = np.where(label > BIKE, UNCHECKED, UNIT_WEIGHT).astype(np.uint8)
    if not len(boxes):
        return WeightedLabel(label, weight)
    height, width = label.shape
    for box_class, class_index in BOX_CLASSES.items():
        outside = label == class_index
        for box in boxes[boxes[:, 0] == box_class]:
            outside[box_slices(box, height, width, grow=0.1)] = False
        label[outside] = 0
    smallest_first = boxes[np.argsort(boxes[:, 3] * boxes[:, 4], kind="stable")]
    for box in smallest_first:
        inside = box_slices(box, height, width)
        if label[inside].size:
            fill_box(BOX_CLASSES[int(box[0])], label[inside], weight[inside], infrared[inside])
    for box in boxes:
        inside = box_slices(box, height, width)
        side = np.sqrt(max(box[3] * height * box[4] * width, 1.0))
        factor = np.clip(WHOLE_WEIGHT_SIDE / side, 1.0, LARGEST_WEIGHT)
        known = np.clip(weight[inside], 0, UNIT_WEIGHT)
        weight[inside] = np.maximum(weight[inside], known * factor).astype(np.uint8)
    return WeightedLabel(label, weight)


def fill_box(
    class_index: int,
    label: npt.NDArray[np.uint8],
    weight: npt.NDArray[np.uint8],
    infrared: npt.NDArray[np.uint8],
) -> None:
    """Label an object in the pixels of its box, in place; the pixels of other objects stay.

    A person is where the box is warm (Otsu's threshold). If the class still covers too little of the box, it
    gets the superellipse |x|^n + |y|^n <= 1 inscribed in the box, at three quarters of the weight, and the
    corners of the box become unknown.
    """
    if class_index == PERSON:
        _, warm = cv2.threshold(np.ascontiguousarray(infrared), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        label[(warm > 0) & (label == 0)] = PERSON
    if np.mean(label == class_index) >= COVERAGE[class_index]:
        return
    height, width = label.shape
    y = (np.arange(height)[:, np.newaxis] + 0.5) / height * 2.0 - 1.0
    x = (np.arange(width)[np.newaxis, :] + 0.5) / width * 2.0 - 1.0
    power = ROUNDNESS[class_index]
    body = np.abs(x) ** power + np.abs(y) ** power <= 1.0
    free = label == 0
    weight[free] = FILLED
    label[free & body] = class_index
    label[free & ~body], weight[free & ~body] = IGNORE, 0


def salient_mask(
    label: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8], labels: str
) -> npt.NDArray[np.uint8]:
    """Thermally salient objects: infrared where a car, person or bike is warmer than the rest, else 0.

    Args:
        label: (H, W) uint8 class indices.
        infrared: (H, W) uint8, hot is white.
        labels: Label set of the indices.

    Returns:
        (H, W) uint8, greyscale as in the paper's data set.
    """
    objects = np.isin(label, [i for i, name in enumerate(LABEL_SETS[labels]) if name in SALIENT_CLASSES])
    if not objects.any() or objects.all():
        return np.zeros_like(infrared)
    warm = objects & (infrared > infrared[~objects].mean())
    return np.where(warm, infrared, 0).astype(np.uint8)
