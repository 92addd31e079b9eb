"""The interface of registrations, and pixel coordinates in images of different sizes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Size = tuple[int, int]
"""Width and height, pixels."""

FloatArray = npt.NDArray[np.float64]

ASPECT_TOLERANCE = 0.01
"""Largest relative difference of two aspect ratios that count as the same field of view."""


class Registration(Protocol):
    """Maps each visible pixel to its position in the infrared image."""

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image.

        Args:
            visible_size: Width and height of the visible image.
            infrared_size: Width and height of the infrared image.

        Returns:
            (H, W, 2) float32: x and y in the infrared image, possibly outside it; NaN if the infrared camera
            cannot see the point.

        Raises:
            ValueError: The registration was made for images of another aspect ratio.
        """
        ...


def same_aspect(first: Size, second: Size) -> bool:
    """Whether two sizes have the same aspect ratio, within 1 %."""
    ratio = first[0] * second[1] / (first[1] * second[0])
    return abs(ratio - 1.0) <= ASPECT_TOLERANCE


def scaling(made_for: Size, actual: Size, what: str) -> FloatArray:
    """Return the 3 x 3 matrix from pixels of an image at one size to pixels of it at another size.

    x' + 1/2 = s (x + 1/2): edges of the image map to edges, and pixel centres are at whole numbers.

    Args:
        made_for: Size that the coordinates refer to; (0, 0) for the actual size.
        actual: Actual size of the image.
        what: "visible" or "infrared", for the message.

    Raises:
        ValueError: The aspect ratios differ by more than 1 %.
    """
    if made_for == (0, 0) or made_for == actual:
        return np.eye(3)
    if not same_aspect(made_for, actual):
        raise ValueError(
            f"expected the {what} image at {made_for[0]} x {made_for[1]} or that aspect ratio, as the "
            f"registration was made for, got {actual[0]} x {actual[1]} (width x height): "
            "run psfusion calibrate on images of this size"
        )
    across, down = actual[0] / made_for[0], actual[1] / made_for[1]
    return np.array([[across, 0.0, (across - 1.0) / 2.0], [0.0, down, (down - 1.0) / 2.0], [0.0, 0.0, 1.0]])


def pixel_centers(size: Size) -> FloatArray:
    """Return the (x, y) of every pixel, (H * W, 2), row by row."""
    columns, rows = np.meshgrid(np.arange(size[0], dtype=np.float64), np.arange(size[1], dtype=np.float64))
    return np.stack([columns.ravel(), rows.ravel()], axis=1)
