"""Pictures of pictures: images side by side with captions, rows of them as one sheet, a legend of classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.models.classes import colorize

CAPTION_HEIGHT = 24
GAP = 4
BACKGROUND = 24
"""Grey level between the panels."""

TEXT = (230, 230, 230)
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.5
SWATCH = 14
"""Side of the square that shows a class's colour."""


def side_by_side(panels: Mapping[str, npt.NDArray[Any]], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Draw images in a row, each under its caption, as large as fits and centred in its panel.

    Args:
        panels: caption to image: (H, W, 3) uint8 RGB, or (H, W) uint8 or uint16 (stretched to its own range).
        width: of a panel, pixels.
        height: of a panel without its caption, pixels.

    Returns:
        (h, w, 3) uint8 RGB with h and w even, as video codecs want them; the same for the same arguments and
        number of panels.
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
    """Put rows of any widths below each other, (h, w, 3) uint8 RGB each and together."""
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, GAP), (0, width - row.shape[1]), (0, 0)), constant_values=BACKGROUND) for row in rows
    ]
    return np.concatenate(padded)[:-GAP]


def class_legend(labels: Iterable[int], names: Sequence[str], width: int) -> npt.NDArray[np.uint8]:
    """Draw the colours of classes with their names, in as many lines as that takes.

    Args:
        labels: indices of the classes to explain; 0, which is not painted, and 255, unknown, are left out.
        names: of the classes by index; the index stands for one beyond them.
        width: of the legend, pixels.

    Returns:
        (h, width, 3) uint8 RGB; h is 0 where there is nothing to explain.
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
