"""Parses image sizes on the command line, written WIDTHxHEIGHT as in camera tools."""

from __future__ import annotations

import argparse
import re
from typing import NamedTuple

METAVAR = "WIDTHxHEIGHT"


class ImageSize(NamedTuple):
    """Width and height in pixels. `str` gives the form of the command line."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def parse_size(text: str, least: int = 1, multiple: int = 1) -> ImageSize:
    """Parse a size; used as a `type` of argparse.

    Args:
        text: The size, such as "640x480".
        least: The smallest width and height in pixels; must be divisible by `multiple`.
        multiple: Number by which width and height must be divisible.

    Raises:
        argparse.ArgumentTypeError: The text is no such size.
    """
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    size = ImageSize(int(match[1]), int(match[2])) if match else ImageSize(0, 0)
    if min(size) >= least and all(side % multiple == 0 for side in size):
        return size
    expected = f"expected {METAVAR}, such as 640x480"
    if multiple > 1:
        expected += f", in multiples of {multiple}"
    if least > multiple:
        expected += f", {least}x{least} or larger"
    hint = f": {_nearest(size, least, multiple)} would do" if min(size) > 0 else ""
    raise argparse.ArgumentTypeError(f"{expected}, got {text!r}{hint}")


def _nearest(size: ImageSize, least: int, multiple: int) -> str:
    """Name the next smaller and the next larger allowed size, or only one if they are equal."""
    smaller = ImageSize(*(max(least, side // multiple * multiple) for side in size))
    larger = ImageSize(*(max(least, -(-side // multiple) * multiple) for side in size))
    return str(larger) if smaller == larger else f"{smaller} or {larger}"
