"""What is known of the files of a data set, before any of them is read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Record(NamedTuple):
    """The files of one scene; all cover the same view, pixel by pixel.

    Attributes:
        name: common stem of the files.
        visible: colour image.
        infrared: infrared image; None where it is the fourth channel of the visible file (MFNet).
        label: true class map, in the label set of the data set.
        predicted_label: class map predicted by another network, in the same label set.
        boxes: text, one object a line: class (0 person, 1 bicycle, 2 car), centre x, centre y, width, height
            as fractions of the image.
        salient: the data set's own mask of thermally salient objects.
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
        records: scenes, with at least one.
        label_set: name of the classes of its labels, a key of ``LABEL_SETS``.
        unpaired: files left out: their partner is missing, or they are listed and missing themselves.
    """

    records: list[Record]
    label_set: str
    unpaired: list[Path]
