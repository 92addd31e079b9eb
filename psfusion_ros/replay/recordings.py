"""What `replay` can play: rosbag2 bags and pairs of image folders, as one stream of serialised messages."""

from __future__ import annotations

import array
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from psfusion_core.bags.bag_reader import CAMERA_INFO, COMPRESSED, IMAGE, Bag, BagError
from psfusion_core.cameras.image_files import pair_folders, read_infrared, read_visible

MESSAGE_TYPES: dict[str, type[Any]] = {
    IMAGE: Image,
    COMPRESSED: CompressedImage,
    CAMERA_INFO: CameraInfo,
}
"""What is played out of a bag. All of them begin with a std_msgs/Header."""


SINGLE_FRAME_SPAN = 100_000_000
"""Nanoseconds after which a recording of one moment starts again."""


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
    """The camera topics of a bag (sqlite3, mcap or ROS 1), their messages as they were recorded."""

    def __init__(self, path: Path) -> None:
        """Read what is in the bag.

        Raises:
            BagError: no bag, a damaged one, one that names files outside its folder, or one without
                camera topics.
        """
        self.path = path
        with Bag(path) as bag:
            topics = [topic for topic in bag.topics if topic.type in MESSAGE_TYPES]
            all_topics = ", ".join(f"{topic.name} ({topic.type})" for topic in bag.topics)
            duration = bag.duration
        if not any(topic.count for topic in topics):
            raise BagError(f"expected camera topics in {path}, got {all_topics or 'none'}: record images")
        self.topics = {topic.name.lstrip("/"): MESSAGE_TYPES[topic.type] for topic in topics}
        self.counts = {topic.name.lstrip("/"): topic.count for topic in topics}
        frames = max(self.counts.values())
        self.span = duration * frames // max(1, frames - 1) or SINGLE_FRAME_SPAN

    def entries(self) -> Iterator[Entry]:
        """Yield the messages.

        Raises:
            BagError: the bag is damaged further in.
        """
        with Bag(self.path) as bag:
            for topic, recorded, data in bag.messages([t for t in bag.topics if t.type in MESSAGE_TYPES]):
                yield Entry(topic.name.lstrip("/"), recorded, bytes(data))


class FolderRecording:
    """Two folders of images, paired by file name without its suffix, as two cameras at a steady rate.

    A pair carries one stamp; the first is the time at which the first message was asked for. Visible images
    become rgb8, infrared ones mono8, or mono16 where the file has 16 bits.
    """

    def __init__(self, visible: Path, infrared: Path, pairs_per_second: float) -> None:
        """List the pairs.

        Raises:
            FileNotFoundError: a folder is missing or empty, or no name is in both.
            psfusion_core.cameras.image_files.ImageError: a name is twice in one folder.
        """
        self.pairs, self.unpaired = pair_folders(visible, infrared)
        self.period = round(1e9 / pairs_per_second)
        self._start: int | None = None
        self.topics: dict[str, type[Any]] = {"visible/image": Image, "infrared/image": Image}
        self.counts = dict.fromkeys(self.topics, len(self.pairs))
        self.span = self.period * len(self.pairs)

    def entries(self) -> Iterator[Entry]:
        """Yield the messages.

        Raises:
            psfusion_core.cameras.image_files.ImageError: a file is no readable image.
        """
        if self._start is None:  # every pass has the stamps of the first one
            self._start = time.time_ns()
        for number, pair in enumerate(self.pairs):
            stamp = self._start + number * self.period
            visible, infrared = read_visible(pair.visible), read_infrared(pair.infrared)
            yield Entry("visible/image", stamp, _serialise(visible, "rgb8", stamp, "visible_camera"))
            grey = "mono8" if infrared.dtype == np.uint8 else "mono16"
            yield Entry("infrared/image", stamp, _serialise(infrared, grey, stamp, "infrared_camera"))


def _serialise(pixels: npt.NDArray[Any], encoding: str, stamp: int, frame_id: str) -> bytes:
    message = Image(height=pixels.shape[0], width=pixels.shape[1], step=pixels.nbytes // pixels.shape[0])
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.header.frame_id = frame_id
    message.encoding = encoding
    message.is_bigendian = int(sys.byteorder == "big")
    message.data = array.array("B", pixels.tobytes())
    return serialize_message(message)
