"""Draws images side by side with captions, rows of them as a contact sheet, and a legend of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.models.classes import colorize

ROWS = 6
"""Rows of a contact sheet."""

CAPTION_HEIGHT = 24
GAP = 4
BACKGROUND = 24
"""Grey level between the panels."""

TEXT = (230, 230, 230)
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.5
SWATCH = 14
"""Side of the square that shows the colour of a class."""


def side_by_side(panels: Mapping[str, npt.NDArray[Any]], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Draw images in a row, each under its caption, centred in its panel and as large as fits.

    Args:
        panels: The images by caption: (H, W, 3) uint8 RGB, or (H, W) uint8 or uint16 (stretched to its own
            range).
        width: Width of a panel, pixels.
        height: Height of a panel without its caption, pixels.

    Returns:
        (h, w, 3) uint8 RGB with h and w even, because video codecs need that. The size depends on the number
        and size of the panels only.
    """
    row_width = len(panels) * (width + GAP) - GAP
    row = np.full((CAPTION_HEIGHT + height, row_width, 3), BACKGROUND, np.uint8)
    for number, (caption, image) in enumerate(panels.items()):
        left = number * (width + GAP)
        fitted = _fit(image, width, height)
        top = CAPTION_HEIGHT + (height - fitted.shape[0]) // 2
        inset = left + (width - fitted.shape[1]) // 2
        row[top : top + fitted.shape[0], inset : inset + fitted.shape[1]] = fitted
        cv2.putText(row, caption, (left + 4, 17), FONT, FONT_SCALE, TEXT, 1, cv2.LINE_AA)
    return np.pad(row, ((0, row.shape[0] % 2), (0, row.shape[1] % 2), (0, 0)), constant_values=BACKGROUND)


def stack(rows: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Stack rows of any width, each (h, w, 3) uint8 RGB, to one picture."""
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0)), constant_values=BACKGROUND) for row in rows
    ]
    return np.concatenate(padded)[:-GAP]


class ContactSheet:
    """A picture of some rows out of many, evenly spread."""

    def __init__(self, path: Path, total: int) -> None:
        """Prepare the sheet.

        Args:
            path: File of the picture; the suffix gives the format.
            total: Number of rows that will be added.
        """
        self._path = path
        self._chosen = {round(number) for number in np.linspace(0, total - 1, ROWS)}
        self._number = 0
        self._rows: list[npt.NDArray[np.uint8]] = []

    def add(self, picture: npt.NDArray[np.uint8], time: int) -> None:
        """Add the next row, (H, W, 3) uint8 RGB; its time is not used."""
        if self._number in self._chosen:
            self._rows.append(picture)
        self._number += 1

    def close(self) -> None:
        """Write the picture if there are any rows."""
        if self._rows:
            write_image(self._path, stack(self._rows))


def class_legend(labels: Iterable[int], names: Sequence[str], width: int) -> npt.NDArray[np.uint8]:
    """Draw the colours of classes with their names, in as many lines as needed.

    Args:
        labels: Indices of the classes; 0, which is not painted, and 255, unknown, are left out.
        names: Class names by index; an index beyond them is drawn as a number.
        width: Width of the legend, pixels.

    Returns:
        (h, width, 3) uint8 RGB; h is 0 if there are no classes to draw.
    """
    lines: list[npt.NDArray[np.uint8]] = []
    left = width
    for label in sorted(set(labels) - {0, 255}):
        name = names[label] if label < len(names) else str(label)
        text_width = cv2.getTextSize(name, FONT, FONT_SCALE, 1)[0][0]
        needed = SWATCH + 8 + text_width + 20
        if left + needed > width:
            lines.append(np.full((CAPTION_HEIGHT, width, 3), BACKGROUND, np.uint8))
            left = 0
        line, top = lines[-1], (CAPTION_HEIGHT - SWATCH) // 2
        line[top : top + SWATCH, left + 4 : left + 4 + SWATCH] = colorize(np.array([[label]]))
        cv2.putText(line, name, (left + SWATCH + 10, 17), FONT, FONT_SCALE, TEXT, 1, cv2.LINE_AA)
        left += needed
    return np.concatenate(lines) if lines else np.empty((0, width, 3), np.uint8)


def _fit(image: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[np.uint8]:
    color = image if image.ndim == 3 else cv2.cvtColor(stretch(image), cv2.COLOR_GRAY2RGB)
    scale = min(width / color.shape[1], height / color.shape[0])
    size = max(1, round(scale * color.shape[1])), max(1, round(scale * color.shape[0]))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(color, size, interpolation=interpolation), np.uint8)
