"""Decodes image messages to frames, whether rclpy received them or they were read from a bag without ROS.

A raw image has the fields of ROS `sensor_msgs/Image`, a compressed one those of
`sensor_msgs/CompressedImage`; `data` supports the buffer protocol.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from psfusion_core.cameras.compressed import check_compressed, decode_compressed
from psfusion_core.cameras.encodings import check_layout, decode
from psfusion_core.cameras.frame import Frame

Message: TypeAlias = Any
"""An image message, raw or compressed. Only the names of the fields are common to all of its classes."""

NANOSECONDS = 1_000_000_000


def stamp_of(header: Any) -> int:
    """Return the stamp of a `std_msgs/Header`, nanoseconds."""
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)


def is_compressed(message: Message) -> bool:
    """Return whether an image message is a compressed one."""
    return hasattr(message, "format")


def check_message(message: Message) -> None:
    """Check that an image can be decoded, by its header alone; no pixel is read.

    Raises:
        FrameError: The image cannot be decoded.
    """
    if is_compressed(message):
        check_compressed(message.format, message.data)
    else:
        check_layout(message.encoding, message.height, message.width, message.step, len(message.data))


def to_frame(message: Message) -> Frame:
    """Decode a message. The frame of a raw image is a view without a copy if its bytes allow.

    Raises:
        FrameError: The header does not describe the data, the encoding is unknown, or decoding fails.
    """
    if is_compressed(message):
        encoding, image = decode_compressed(message.format, message.data)
    else:
        encoding = message.encoding
        image = decode(
            message.data, encoding, message.height, message.width, message.step, bool(message.is_bigendian)
        )
    return Frame(stamp_of(message.header), message.header.frame_id, encoding, image)
