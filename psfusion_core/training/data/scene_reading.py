"""Reading the files of a scene into its planes."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.cameras.image_files import (
    ImageError,
    read_four_channels,
    read_infrared,
    read_label,
    read_visible,
)
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.metrics.box_files import read_boxes
from psfusion_core.training.data.box_labels import (
    UNCHECKED,
    WeightedLabel,
    correct_by_boxes,
    salient_mask,
)
from psfusion_core.training.data.label_sets import map_labels
from psfusion_core.training.data.scene_files import Record
from psfusion_core.training.data.scene_planes import IGNORE, UNIT_WEIGHT


def read_planes(record: Record, source_labels: str, labels: str, resize: float = 1.0) -> Tensor:
    """Read a scene as (7, H, W) uint8 planes (:mod:`psfusion_core.training.data.scene_planes`).

    Args:
        source_labels: Label set of the files.
        labels: Label set to train with.
        resize: Factor on height and width.

    Raises:
        ImageError: A file cannot be read, or the files of the scene differ in size.
        ValueError: A label has a class outside its label set, or the boxes do not fit the label set.
    """
    if record.infrared is None:
        visible, infrared = read_four_channels(record.visible)
    else:
        visible, infrared = read_visible(record.visible), stretch(read_infrared(record.infrared))
    if visible.shape[:2] != infrared.shape:
        raise ImageError(
            f"{record.visible} is {size(visible)} and its infrared image {size(infrared)} (width x height): "
            "register and crop them to one size first"
        )
    label, weight = read_weighted_label(record, infrared, source_labels, labels)
    if label.shape != infrared.shape:
        raise ImageError(f"{record.visible} is {size(visible)} and its label {size(label)}")
    if record.salient is None:
        mask = salient_mask(label, infrared, labels)
    else:
        mask = stretch(read_infrared(record.salient))
    if mask.shape != infrared.shape:
        raise ImageError(f"{record.visible} is {size(visible)} and its salient mask {size(mask)}")
    images = np.dstack([visible, infrared])
    planes = [images, label, weight, mask]
    if resize != 1.0:
        smooth = cv2.INTER_AREA if resize < 1.0 else cv2.INTER_LINEAR
        modes = (smooth, cv2.INTER_NEAREST, cv2.INTER_NEAREST, smooth)
        planes = [
            np.asarray(cv2.resize(plane, None, fx=resize, fy=resize, interpolation=mode), np.uint8)
            for plane, mode in zip(planes, modes, strict=True)
        ]
    return torch.from_numpy(np.ascontiguousarray(np.dstack(planes).transpose(2, 0, 1)))


def size(image: npt.NDArray[np.generic]) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"


def read_weighted_label(
    record: Record, infrared: npt.NDArray[np.uint8], source_labels: str, labels: str
) -> WeightedLabel:
    """Read the best label map of a scene: drawn by people, else predicted, corrected by boxes, else none."""
    drawn = record.label or record.predicted_label
    if drawn is None:
        label = np.full_like(infrared, IGNORE)
    else:
        try:
            label = map_labels(read_label(drawn), source_labels, labels)
        except ValueError as error:
            raise ValueError(f"{drawn}: {error}") from error
    if record.label is not None or record.boxes is None or label.shape != infrared.shape:
        return WeightedLabel(label, np.full_like(label, UNIT_WEIGHT))
    if labels != "msrs":
        raise ValueError(f"{record.boxes}: boxes are of MSRS classes; train with labels: msrs, not {labels}")
    boxes = read_boxes(record.boxes)
    if drawn is not None or not len(boxes):
        return correct_by_boxes(label, infrared, boxes)
    label, weight = correct_by_boxes(np.zeros_like(infrared), infrared, boxes)
    # Outside the boxes there is no car, person or bike, but perhaps an object of a class without boxes.
    weight[label == 0] = UNCHECKED
    return WeightedLabel(label, weight)
