"""Limits on the size of an image, checked in its header before memory is allocated for it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.stamped import Camera

MINIMUM_SIDE = 32
"""Smallest height and width of an image that can be fused, pixels."""

MAXIMUM_PIXELS = 2**26
"""8192 x 8192, or 200 MB as RGB: several times the resolution of cameras on robots."""


def check_size(height: int, width: int) -> None:
    """Check that an image is neither empty nor larger than MAXIMUM_PIXELS.

    Raises:
        FrameError: The image is empty or too large.
    """
    if height < 1 or width < 1:
        raise FrameError(
            f"expected an image of at least 1 x 1, got {width} x {height}: check the camera driver"
        )
    if height * width > MAXIMUM_PIXELS:
        raise FrameError(
            f"expected an image of at most {MAXIMUM_PIXELS} pixels, got {width} x {height}: "
            "send or store it smaller"
        )


def check_fusable(camera: Camera, height: int, width: int) -> None:
    """Raise FrameError if an image of a camera is smaller than MINIMUM_SIDE."""
    if min(height, width) < MINIMUM_SIDE:
        raise FrameError(
            f"expected {camera} images of at least {MINIMUM_SIDE} x {MINIMUM_SIDE} pixels, got "
            f"{width} x {height}: use larger images"
        )


def size_in_header(data: Any, formats: tuple[str, ...]) -> tuple[int, int]:
    """Return height and width from the header of an image file, without decoding it.

    The header must be checked first, because a PNG of 300 kB can hold 60,000 x 60,000 pixels.

    Args:
        data: The file, as an object that supports the buffer protocol.
        formats: The formats that are allowed, by Pillow's names.

    Raises:
        FrameError: The file has none of these formats, the header is damaged, or `check_size` refuses the
            size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=formats) as file:
            width, height = file.size
    except Image.DecompressionBombError as error:  # far above our own limit
        raise FrameError(
            f"expected an image of at most {MAXIMUM_PIXELS} pixels, got what Pillow takes for a "
            "decompression bomb: send or store it smaller"
        ) from error
    except Exception as error:  # Pillow raises several kinds, which differ between its versions
        raise FrameError(
            f"expected the header of a {' or '.join(formats)} image, got {memoryview(data).nbytes} bytes "
            "without a readable one: they are damaged, or of another format"
        ) from error
    check_size(height, width)
    return height, width
