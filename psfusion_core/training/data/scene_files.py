"""The files of a data set: those of one scene, and the list of scenes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Record(NamedTuple):
    """The files of one scene, all aligned pixel by pixel.

    Attributes:
        name: Common stem of the files.
        visible: Colour image.
        infrared: Infrared image; None if it is the fourth channel of the visible file (MFNet).
        label: Label map drawn by people, in the label set of the data set.
        predicted_label: Label map predicted by a network, in the same label set.
        boxes: Text file, one object per line: class (0 person, 1 bicycle, 2 car), centre x, centre y, width,
            height as fractions of the image.
        salient: Mask of thermally salient objects.
    """

    name: str
    visible: Path
    infrared: Path | None
    label: Path | None = None
    predicted_label: Path | None = None
    boxes: Path | None = None
    salient: Path | None = None


class Dataset(NamedTuple):
    """The scenes of one split.

    Attributes:
        records: The scenes, at least one.
        label_set: Label set of the labels, a key of ``LABEL_SETS``.
        unpaired: Files without a partner, and listed files that do not exist.
    """

    records: list[Record]
    label_set: str
    unpaired: list[Path]
