"""A stamp is shifted within a serialised message, which is otherwise unchanged."""

from __future__ import annotations

import struct

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import stamp_of
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from psfusion_core.cameras.serialised_stamp import shift_stamp


@given(
    stamp=st.integers(0, 2**31 * 10**9 - 1),
    shift=st.integers(0, 10**12),
    frame_id=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=9),
    kind=st.sampled_from([Image, CompressedImage, CameraInfo]),
)
def test_shifting_a_serialised_stamp_changes_the_stamp_and_nothing_else(
    stamp: int, shift: int, frame_id: str, kind: type[Image]
) -> None:
    message = kind()
    message.header.frame_id = frame_id
    shift = min(shift, 2**31 * 10**9 - 1 - stamp)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    shifted = deserialize_message(shift_stamp(serialize_message(message), shift), kind)
    assert stamp_of(shifted) == stamp + shift
    shifted.header.stamp = message.header.stamp
    assert shifted == message


def test_big_endian_messages_are_shifted_in_their_byte_order() -> None:
    data = b"\0\0\0\0" + struct.pack(">iI", 5, 999_999_999) + b"rest"
    assert shift_stamp(data, 2) == b"\0\0\0\0" + struct.pack(">iI", 6, 1) + b"rest"
