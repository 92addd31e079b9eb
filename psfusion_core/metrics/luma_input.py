"""The one check every fusion metric makes on its images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LumaImage = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float64]


def check_luma(metric: str, minimum_side: int = 1, **images: LumaImage) -> None:
    """Refuse anything but (H, W) uint8 luma images of one size.

    Args:
        metric: name of the metric, to open the message with.
        minimum_side: smallest H and W in pixels for which the metric is defined.
        images: the images by the name of the argument they came in.

    Raises:
        ValueError: an image is not an array, is coloured, is not uint8, is too small, or differs in size.
    """
    first_name, first = next(iter(images.items()))
    for name, image in images.items():
        if not isinstance(image, np.ndarray) or image.ndim != 2 or image.dtype != np.uint8:
            found = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ValueError(
                f"{metric}: {name} must be an (H, W) uint8 luma array, got {found};"
                " convert colour to luma and scale to 0-255 first"
            )
        if min(image.shape) < minimum_side:
            raise ValueError(
                f"{metric}: {name} must be at least {minimum_side} x {minimum_side} pixels, got {image.shape}"
            )
        if image.shape != first.shape:
            raise ValueError(
                f"{metric}: {name} is {image.shape} but {first_name} is {first.shape};"
                " resize them to one size first"
            )


def luma(rgb: npt.NDArray[np.uint8]) -> LumaImage:
    """Y = .299 R + .587 G + .114 B, rounded half up in exact arithmetic: (H, W, 3) uint8 -> (H, W) uint8."""
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray((299 * red + 587 * green + 114 * blue + 500) // 1000, np.uint8)
