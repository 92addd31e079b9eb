"""How large an image may be, and how large a file says its image is: asked before memory is taken for it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from psfusion_core.cameras.frame import FrameError

MINIMUM_SIDE = 32
"""Least height and width of an image that is fused, pixels."""

MAXIMUM_PIXELS = 2**26
"""8192 x 8192: several times what cameras on robots have, and 200 MB as RGB."""


def check_size(height: int, width: int) -> None:
    """Check that an image is neither empty nor larger than MAXIMUM_PIXELS.

    Raises:
        FrameError: it is.
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


def size_in_header(data: Any, formats: tuple[str, ...]) -> tuple[int, int]:
    """Return height and width of an image file by its header; nothing is decoded.

    A PNG of 300 kB can hold 60,000 x 60,000 pixels: it is the header that must be asked first.

    Args:
        data: the file, anything with the buffer protocol.
        formats: what it may be, by Pillow's names.

    Raises:
        FrameError: none of these formats, a damaged header, or an image that `check_size` refuses.
    """
    try:
        with Image.open(io.BytesIO(data), formats=formats) as file:
            width, height = file.size
    except Image.DecompressionBombError as error:  # far above our own limit
        raise FrameError(
            f"expected an image of at most {MAXIMUM_PIXELS} pixels, got what Pillow takes for a "
            "decompression bomb: send or store it smaller"
        ) from error
    except Exception as error:  # of several kinds, and others in other versions of Pillow
        raise FrameError(
            f"expected the header of a {' or '.join(formats)} image, got {memoryview(data).nbytes} bytes "
            "without a readable one: they are damaged, or of another format"
        ) from error
    check_size(height, width)
    return height, width
