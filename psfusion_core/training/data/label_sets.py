"""The classes that public data sets label, and how they become the nine of MSRS."""

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
"""Class names by index. MFNet shares those of MSRS; PST900: Shivakumar et al. 2020, table I; FMB: Liu et al.
2023, section 4, where 0 is what nobody labelled (2 % of the pixels). 255 is unknown in all of them."""

CLASS_OF_MSRS = {
    "car": "car", "truck": "car", "bus": "car",
    "person": "person", "survivor": "person",
    "bicycle": "bike", "motorcycle": "bike",
}  # fmt: skip
UNKNOWN = {("fmb", "unlabelled")}
"""Classes that may hide any object, unlike MSRS's own "unlabelled", which says there is none of the eight."""


def map_labels(label: npt.NDArray[np.uint8], source: str, target: str) -> npt.NDArray[np.uint8]:
    """Translate a class map from one label set to another.

    Onto "msrs", classes that have no counterpart there become 0 (unlabelled): background, stuff and the
    objects that MSRS does not know. What FMB left unlabelled becomes unknown. Beware that the other sets
    cannot tell curves, car stops, guardrails, cones and bumps from what surrounds them.

    Args:
        label: (H, W) uint8 class indices of ``source``, 255 where unknown.
        source: name of its label set.
        target: name of the label set wanted: the same, or "msrs".

    Returns:
        (H, W) uint8 class indices of ``target``, 255 where unknown.

    Raises:
        ValueError: a label set or a value of the label is not known, or there is no such translation.
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
