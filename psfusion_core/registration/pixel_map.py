"""What every registration offers, and how pixel coordinates change with the size of an image."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Size = tuple[int, int]
"""Width and height, pixels."""

FloatArray = npt.NDArray[np.float64]

ASPECT_TOLERANCE = 0.01
"""Sizes whose width over height differs by no more than this share show the same field of view."""


class Registration(Protocol):
    """Says for each visible pixel where it lies in the infrared image."""

    def pixel_map(self, visible_size: Size, infrared_size: Size) -> npt.NDArray[np.float32]:
        """Map the pixels of a visible image.

        Args:
            visible_size: width and height of the visible image.
            infrared_size: width and height of the infrared image.

        Returns:
            (H, W, 2) float32: x and y in the infrared image, perhaps outside it; NaN where the infrared
            camera can see no such point.

        Raises:
            ValueError: the registration was made for images of another aspect ratio.
        """
        ...


def same_aspect(first: Size, second: Size) -> bool:
    """Tell whether two sizes have the same aspect ratio, within 1 %."""
    ratio = first[0] * second[1] / (first[1] * second[0])
    return abs(ratio - 1.0) <= ASPECT_TOLERANCE


def scaling(made_for: Size, actual: Size, what: str) -> FloatArray:
    """Return the 3 x 3 matrix from pixels of one size of an image to those of another.

    x' + 1/2 = s (x + 1/2): the edges of the image stay its edges, and pixel centres are at whole numbers.

    Args:
        made_for: size in which the pixels are given; 0 x 0 for whatever the image has.
        actual: size that the image has.
        what: "visible" or "infrared", for the message.

    Raises:
        ValueError: the aspect ratios differ by more than 1 %.
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
