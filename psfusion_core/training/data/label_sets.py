"""Label sets: the classes of public data sets, and their translation to the nine classes of MSRS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.training.data.scene_planes import IGNORE

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "msrs": CLASS_NAMES,
    "pst900": ("background", "fire_extinguisher", "backpack", "hand_drill", "survivor"),
    "fmb": (
        "unlabelled", "road", "sidewalk", "building", "traffic_light", "traffic_sign", "vegetation", "sky",
        "person", "car", "truck", "bus", "motorcycle", "bicycle", "pole",
    ),
}  # fmt: skip
"""Class names by index; 255 is unknown in all sets. MFNet has the classes of MSRS. PST900: Shivakumar et al.
2020, table I. FMB: Liu et al. 2023, section 4; its class 0 are unannotated pixels (2 %)."""

CLASS_OF_MSRS = {
    "car": "car", "truck": "car", "bus": "car",
    "person": "person", "survivor": "person",
    "bicycle": "bike", "motorcycle": "bike",
}  # fmt: skip
UNKNOWN = {("fmb", "unlabelled")}
"""Classes that become 255, because any object may be there; "unlabelled" in MSRS means none of its eight."""


def map_labels(label: npt.NDArray[np.uint8], source: str, target: str) -> npt.NDArray[np.uint8]:
    """Translate a label map from one label set to another.

    Classes without a counterpart in "msrs" become 0 (unlabelled). Class 0 of FMB becomes 255 (unknown). The
    other sets do not label the curves, car stops, guardrails, cones and bumps of MSRS.

    Args:
        label: (H, W) uint8 class indices of ``source``, 255 if unknown.
        source: Name of its label set.
        target: Name of the new label set: the same, or "msrs".

    Returns:
        (H, W) uint8 class indices of ``target``, 255 if unknown.

    Raises:
        ValueError: A label set or a class index is unknown, or there is no such translation.
    """
    for name in (source, target):
        if name not in LABEL_SETS:
            raise ValueError(f"unknown label set {name!r}: expected one of {', '.join(LABEL_SETS)}")
    if target not in (source, "msrs"):
        raise ValueError(
            f"labels of {source} cannot become {target}: keep them ({source}) or translate them to msrs"
        )
    classes = LABEL_SETS[source]
    present = np.bincount(label.ravel(), minlength=256)[:IGNORE]
    if present[len(classes) :].any():
        value = len(classes) + int(present[len(classes) :].argmax())
        raise ValueError(
            f"a label has class {value}; {source} has {len(classes)} classes, 0 to {len(classes) - 1}, and "
            f"{IGNORE} for unknown: check the label set of the source"
        )
    if source == target:
        return label
    table = np.zeros(256, np.uint8)
    table[IGNORE] = IGNORE
    for index, name in enumerate(classes):
        if name in CLASS_OF_MSRS:
            table[index] = CLASS_NAMES.index(CLASS_OF_MSRS[name])
        elif (source, name) in UNKNOWN:
            table[index] = IGNORE
    return table[label]
