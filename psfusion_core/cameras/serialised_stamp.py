"""Reads and moves the stamps of serialised messages without deserialising them."""

from __future__ import annotations

import struct

from psfusion_core.cameras.image_decoding import NANOSECONDS


def stamp_of_serialised(data: bytes) -> int:
    """Return the stamp, nanoseconds, of a serialised message that begins with a std_msgs/Header.

    The stamp follows the 4 bytes of encapsulation: int32 seconds, uint32 nanoseconds. The lowest bit of byte
    1 gives the byte order (RTPS 2.5, 10.2).
    """
    seconds, fraction = struct.unpack_from(_layout(data), data, 4)
    return int(seconds) * NANOSECONDS + int(fraction)


def shift_stamp(data: bytes, nanoseconds: int) -> bytes:
    """Return a serialised message that begins with a std_msgs/Header, with its stamp moved by nanoseconds."""
    stamp = divmod(stamp_of_serialised(data) + nanoseconds, NANOSECONDS)
    return data[:4] + struct.pack(_layout(data), *stamp) + data[12:]


def _layout(data: bytes) -> str:
    return "<iI" if data[1] & 1 else ">iI"
