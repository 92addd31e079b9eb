"""Recordings for `replay`: bags and pairs of image folders, each as one stream of serialised messages."""

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
"""The message types that are played from a bag. All of them begin with a std_msgs/Header."""

SINGLE_FRAME_SPAN = 100_000_000
"""Nanoseconds after which a recording of a single frame starts again."""


class Entry(NamedTuple):
    """One message: topic, time of recording (ns) and CDR serialisation with the encapsulation header."""

    topic: str
    time: int
    data: bytes


class Recording(Protocol):
    """Messages in order of time. They are read one by one, so that memory does not grow with the length.

    Attributes:
        topics: Relative topic names and their message types.
        counts: Number of messages by topic.
        span: Nanoseconds from the first message to the first message of the next pass.
    """

    topics: dict[str, type[Any]]
    counts: dict[str, int]
    span: int

    def entries(self) -> Iterator[Entry]: ...


class BagRecording:
    """The camera topics of a bag (sqlite3, mcap or ROS 1), with their messages unchanged."""

    def __init__(self, path: Path) -> None:
        """Read which topics are in the bag.

        Raises:
            BagError: The path is no bag, or the bag is damaged, names files outside its folder, or has no
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
            BagError: The bag is damaged.
        """
        with Bag(self.path) as bag:
            for topic, recorded, data in bag.messages([t for t in bag.topics if t.type in MESSAGE_TYPES]):
                yield Entry(topic.name.lstrip("/"), recorded, bytes(data))


class FolderRecording:
    """Two folders of images, paired by file name without suffix, played like two cameras at a steady rate.

    Both images of a pair have the same stamp. The first stamp is the time when playing began. Visible images
    become rgb8, infrared images mono8, or mono16 if the file has 16 bits.
    """

    def __init__(self, visible: Path, infrared: Path, pairs_per_second: float) -> None:
        """List the pairs.

        Raises:
            FileNotFoundError: A folder is missing or empty, or no name is in both folders.
            psfusion_core.cameras.image_files.ImageError: A folder has two files of the same name.
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
            psfusion_core.cameras.image_files.ImageError: A file is no readable image.
        """
        if self._start is None:  # every pass starts with the same stamp
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
