"""Sizes of images on the command line: WIDTHxHEIGHT, as camera tools write them."""

from __future__ import annotations

import argparse
import re
from typing import NamedTuple

METAVAR = "WIDTHxHEIGHT"


class Size(NamedTuple):
    """Width and height, pixels; prints as it is typed."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def parse_size(text: str, least: int = 1, multiple: int = 1) -> Size:
    """Read a size, as a type of argparse.

    Args:
        text: such as "640x480".
        least: smallest width and height, pixels; a multiple of `multiple`.
        multiple: of which both are to be one.

    Raises:
        argparse.ArgumentTypeError: it is no such size.
    """
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    size = Size(int(match[1]), int(match[2])) if match else Size(0, 0)
    if min(size) >= least and all(side % multiple == 0 for side in size):
        return size
    expected = f"expected {METAVAR}, such as 640x480"
    if multiple > 1:
        expected += f", in multiples of {multiple}"
    if least > multiple:
        expected += f", {least}x{least} or larger"
    hint = f": {_nearest(size, least, multiple)} would do" if min(size) > 0 else ""
    raise argparse.ArgumentTypeError(f"{expected}, got {text!r}{hint}")


def _nearest(size: Size, least: int, multiple: int) -> str:
    """Name the next smaller and the next larger size that are allowed; one where they are the same."""
    smaller = Size(*(max(least, side // multiple * multiple) for side in size))
    larger = Size(*(max(least, -(-side // multiple) * multiple) for side in size))
    return str(larger) if smaller == larger else f"{smaller} or {larger}"
