"""What `replay` can play: rosbag2 bags and pairs of image folders, as one stream of serialised messages."""

from __future__ import annotations

import array
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from psfusion_core.images import pair_folders, read_infrared, read_visible
from psfusion_core.stream.bag_paths import check_bag_paths

MESSAGE_TYPES: dict[str, type[Any]] = {
    "sensor_msgs/msg/Image": Image,
    "sensor_msgs/msg/CompressedImage": CompressedImage,
    "sensor_msgs/msg/CameraInfo": CameraInfo,
}
"""What is played out of a bag. All of them begin with a std_msgs/Header."""


SINGLE_FRAME_SPAN = 100_000_000
"""Nanoseconds after which a recording of one moment starts again."""


class RecordingError(ValueError):
    """A bag that cannot be played; the message is one line: what was expected, what came, what to do."""


class Entry(NamedTuple):
    """One message: topic, time of recording (ns), and its CDR serialisation with the encapsulation header."""

    topic: str
    time: int
    data: bytes


class Recording(Protocol):
    """Messages in order of their time, read one by one, so that memory does not grow with the length.

    Attributes:
        topics: relative topic names and their message types.
        counts: number of messages by topic.
        span: nanoseconds from the first message to where the first one of another pass belongs.
    """

    topics: dict[str, type[Any]]
    counts: dict[str, int]
    span: int

    def entries(self) -> Iterator[Entry]: ...


class BagRecording:
    """The camera topics of a rosbag2 bag (sqlite3 or mcap), their messages as they were recorded."""

    def __init__(self, path: Path) -> None:
        """Read what is in the bag.

        Raises:
            RecordingError: no bag, a damaged one, one that names files outside its folder, or one without
                camera topics.
        """
        self.path = path
        with _open_bag(path) as reader:
            connections = [c for c in reader.connections if c.msgtype in MESSAGE_TYPES]
            topics = sorted({f"{c.topic} ({c.msgtype})" for c in reader.connections})
            duration = reader.end_time - 1 - reader.start_time  # the end is one past the last message
        if not any(c.msgcount for c in connections):
            raise RecordingError(
                f"expected camera topics in {path}, got {', '.join(topics) or 'none'}: record images"
            )
        self.topics = {c.topic.lstrip("/"): MESSAGE_TYPES[c.msgtype] for c in connections}
        self.counts = {c.topic.lstrip("/"): c.msgcount for c in connections}
        frames = max(self.counts.values())
        self.span = duration * frames // max(1, frames - 1) or SINGLE_FRAME_SPAN

    def entries(self) -> Iterator[Entry]:
        """Yield the messages.

        Raises:
            RecordingError: the bag is damaged further in.
        """
        with _open_bag(self.path) as reader:
            connections = [c for c in reader.connections if c.msgtype in MESSAGE_TYPES]
            for connection, recorded, data in reader.messages(connections):
                yield Entry(connection.topic.lstrip("/"), recorded, bytes(data))


class FolderRecording:
    """Two folders of images, paired by file name without its suffix, as two cameras at a steady rate.

    A pair carries one stamp; the first is the time at which this object was made. Visible images become rgb8,
    infrared ones mono8, or mono16 where the file has 16 bits.
    """

    def __init__(self, visible: Path, infrared: Path, pairs_per_second: float) -> None:
        """List the pairs.

        Raises:
            FileNotFoundError: a folder is missing or empty, or no name is in both.
            psfusion_core.images.ImageError: a name is twice in one folder.
        """
        self.pairs, self.unpaired = pair_folders(visible, infrared)
        self.period = round(1e9 / pairs_per_second)
        self.start = time.time_ns()
        self.topics: dict[str, type[Any]] = {"visible/image": Image, "infrared/image": Image}
        self.counts = dict.fromkeys(self.topics, len(self.pairs))
        self.span = self.period * len(self.pairs)

    def entries(self) -> Iterator[Entry]:
        """Yield the messages.

        Raises:
            psfusion_core.images.ImageError: a file is no readable image.
        """
        for number, pair in enumerate(self.pairs):
            stamp = self.start + number * self.period
            visible, infrared = read_visible(pair.visible), read_infrared(pair.infrared)
            yield Entry("visible/image", stamp, _serialise(visible, "rgb8", stamp, "visible_camera"))
            grey = "mono8" if infrared.dtype == np.uint8 else "mono16"
            yield Entry("infrared/image", stamp, _serialise(infrared, grey, stamp, "infrared_camera"))


def stamp_of_serialised(data: bytes) -> int:
    """Return the stamp, nanoseconds, of a serialised message that begins with a std_msgs/Header.

    It follows the 4 bytes of encapsulation: int32 seconds, uint32 nanoseconds, in the byte order that the
    lowest bit of byte 1 tells (RTPS 2.5, 10.2).
    """
    seconds, fraction = struct.unpack_from(_stamp_layout(data), data, 4)
    return int(seconds) * 10**9 + int(fraction)


def shift_stamp(data: bytes, nanoseconds: int) -> bytes:
    """Return a serialised message that begins with a std_msgs/Header, its stamp moved by nanoseconds."""
    stamp = divmod(stamp_of_serialised(data) + nanoseconds, 10**9)
    return data[:4] + struct.pack(_stamp_layout(data), *stamp) + data[12:]


def _stamp_layout(data: bytes) -> str:
    return "<iI" if data[1] & 1 else ">iI"


@contextmanager
def _open_bag(path: Path) -> Iterator[Reader]:
    try:
        check_bag_paths(path)
        with Reader(path) as reader:
            yield reader
    except Exception as error:  # the library lets errors of yaml, sqlite and mcap through
        reason = " ".join(str(error).split())
        raise RecordingError(
            f"expected an intact rosbag2 folder (sqlite3 or mcap) at {path}: {reason}"
        ) from error


def _serialise(pixels: npt.NDArray[Any], encoding: str, stamp: int, frame_id: str) -> bytes:
    message = Image(height=pixels.shape[0], width=pixels.shape[1], step=pixels.nbytes // pixels.shape[0])
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.header.frame_id = frame_id
    message.encoding = encoding
    message.is_bigendian = int(sys.byteorder == "big")
    message.data = array.array("B", pixels.tobytes())
    return serialize_message(message)
