"""Image messages by their fields, whoever made them: rclpy's own and those read from a bag without ROS.

A raw image has the fields of ROS `sensor_msgs/Image`, a compressed one those of
`sensor_msgs/CompressedImage`; `data` is anything with the buffer protocol.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from psfusion_core.cameras.compressed import check_compressed, decode_compressed
from psfusion_core.cameras.encodings import check_layout, decode
from psfusion_core.cameras.frame import Frame

Message: TypeAlias = Any
"""An image message, raw or compressed. The classes have nothing in common but the names of their fields."""

Fallback: TypeAlias = Literal["rgb8", "mono8"]
"""What cv_bridge is asked for where an encoding is unknown here (see `psfusion_ros.image_messages`)."""

NANOSECONDS = 1_000_000_000


def stamp_of(header: Any) -> int:
    """Return the stamp of a `std_msgs/Header`, nanoseconds."""
    return int(header.stamp.sec) * NANOSECONDS + int(header.stamp.nanosec)


def is_compressed(message: Message) -> bool:
    """Tell a compressed image from a raw one."""
    return hasattr(message, "format")


def check(message: Message) -> None:
    """Check that an image may be decoded, without a look at its pixels: costs nothing.

    Raises:
        FrameError: it cannot.
    """
    if is_compressed(message):
        check_compressed(message.format, message.data)
    else:
        check_layout(message.encoding, message.height, message.width, message.step, len(message.data))


def to_frame(message: Message, fallback: Fallback = "rgb8") -> Frame:
    """Decode a message; of a raw one the frame is a view, without a copy, where its bytes allow.

    Args:
        message: the image, raw or compressed.
        fallback: not needed here.

    Raises:
        FrameError: the header does not describe the data, nobody knows the encoding, or it does not decode.
    """
    if is_compressed(message):
        encoding, image = decode_compressed(message.format, message.data)
    else:
        encoding = message.encoding
        image = decode(
            message.data, encoding, message.height, message.width, message.step, bool(message.is_bigendian)
        )
    return Frame(stamp_of(message.header), message.header.frame_id, encoding, image)
