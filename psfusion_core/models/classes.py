"""The nine classes of the MSRS data set and their colours."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

CLASS_NAMES: tuple[str, ...] = (
    "unlabelled", "car", "person", "bike", "curve", "car_stop", "guardrail", "color_cone", "bump",
)  # fmt: skip
"""Class names by index, in MSRS order."""

PALETTE: npt.NDArray[np.uint8] = np.array(
    [
        (0, 0, 0), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 192),
        (128, 128, 0), (64, 64, 128), (192, 128, 128), (192, 64, 0),
    ],
    dtype=np.uint8,
)  # fmt: skip
"""(9, 3) uint8 RGB, the colours that MSRS and MFNet publish."""


def colorize(label_map: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Paint a label map in the class palette.

    Args:
        label_map: (H, W) class indices 0 to 255. Indices beyond the palette, from other label sets, get
            bright hues that are a golden angle apart; 255 (unknown) is black.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return np.asarray(
        cv2.applyColorMap(np.asarray(label_map, np.uint8), color_table()[:, np.newaxis]), np.uint8
    )


@cache
def color_table() -> npt.NDArray[np.uint8]:
    """Return the colour of each index, (256, 3) uint8 RGB; read-only because all callers share it."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(PALETTE)] = PALETTE
    more = np.arange(len(PALETTE), 255)
    hues = np.stack([more * 111 % 180, np.full_like(more, 230), np.full_like(more, 255)], axis=-1)
    table[more] = cv2.cvtColor(hues.astype(np.uint8)[np.newaxis], cv2.COLOR_HSV2RGB)[0]
    table.flags.writeable = False
    return table
