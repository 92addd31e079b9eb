"""Image pairs of a rosbag2 bag, read without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from psfusion_core.stream.bag_paths import check_bag_paths
from psfusion_core.stream.compressed import decode_compressed
from psfusion_core.stream.encodings import decode, to_infrared, to_visible
from psfusion_core.stream.frame import Frame
from psfusion_core.stream.pairing import Pairer

TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
TOLERANCE = 50_000_000
"""Largest difference of the stamps of a pair, nanoseconds: the node's default."""


class BagError(ValueError):
    """A bag that holds no pairs to use; the message is one line that says what to do."""


class Topics(NamedTuple):
    """Names of the two image topics."""

    visible: str = "/visible/image"
    infrared: str = "/infrared/image"


def read_bag_pairs(
    path: Path, topics: Topics, limit: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]]:
    """Read pairs of a bag, evenly spread over its time; only these are decoded.

    Args:
        path: folder of the bag (sqlite3 or mcap).
        topics: of Image or CompressedImage.
        limit: largest number of pairs.

    Yields:
        (H, W, 3) uint8 RGB and (h, w) uint8 or uint16.

    Raises:
        BagError: no intact bag, one that names files outside its folder, or without such pairs.
        ImportError: the package rosbags is missing.
    """
    pairs = _pair_numbers(path, topics)
    if not pairs:
        raise BagError(
            f"expected images on {topics.visible} and {topics.infrared} in {path} whose stamps differ by at "
            f"most {TOLERANCE // 1_000_000} ms, got none: check the topics"
        )
    chosen = np.linspace(0, len(pairs) - 1, min(limit, len(pairs))).round().astype(int)
    waiting = [pairs[number] for number in chosen]
    frames: dict[tuple[str, int], npt.NDArray[Any]] = {}
    wanted = {(topic, number) for pair in waiting for topic, number in zip(topics, pair, strict=True)}
    for topic, number, _, message in _messages(path, topics):
        if (topic, number) in wanted:
            frame = _frame(message)
            frames[topic, number] = to_visible(frame) if topic == topics.visible else to_infrared(frame)
        while waiting and all((t, n) in frames for t, n in zip(topics, waiting[0], strict=True)):
            visible, infrared = waiting.pop(0)
            yield frames.pop((topics.visible, visible)), frames.pop((topics.infrared, infrared))


def _pair_numbers(path: Path, topics: Topics) -> list[tuple[int, int]]:
    """Pair the frames by stamp; return the numbers of both in the order of their topics."""
    pairer: Pairer[int] = Pairer(TOLERANCE)
    pairs = []
    for topic, number, time, message in _messages(path, topics):
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        add = pairer.add_visible if topic == topics.visible else pairer.add_infrared
        add(stamp, number, time)
        pair = pairer.take(time)
        if pair is not None:
            pairs.append((pair.visible.payload, pair.infrared.payload))
    return pairs


def _messages(path: Path, topics: Topics) -> Iterator[tuple[str, int, int, Any]]:
    """Yield topic, number within the topic, time of recording (ns) and message."""
    from rosbags.typesys import Stores, get_typestore

    typestore = get_typestore(Stores.ROS2_HUMBLE)
    counts = dict.fromkeys(topics, 0)
    with _open(path) as reader:
        connections = [c for c in reader.connections if c.topic in topics and c.msgtype in TYPES]
        missing = sorted(set(topics) - {c.topic for c in connections})
        if missing:
            images = sorted(c.topic for c in reader.connections if c.msgtype in TYPES)
            raise BagError(
                f"expected images on {' and '.join(missing)} in {path}, got images on "
                f"{', '.join(images) or 'no topic'}: name the topics"
            )
        for connection, time, data in reader.messages(connections):
            number = counts[connection.topic]
            counts[connection.topic] += 1
            yield connection.topic, number, time, typestore.deserialize_cdr(data, connection.msgtype)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    from rosbags.rosbag2 import Reader

    try:
        check_bag_paths(path)
        with Reader(path) as reader:
            yield reader
    except BagError:
        raise
    except Exception as error:  # the library lets errors of yaml, sqlite and mcap through
        raise BagError(
            f"expected an intact rosbag2 folder (sqlite3 or mcap) at {path}: {' '.join(str(error).split())}"
        ) from error


def _frame(message: Any) -> Frame:
    if hasattr(message, "format"):
        encoding, image = decode_compressed(message.format, message.data)
    else:
        encoding = message.encoding
        image = decode(
            message.data, encoding, message.height, message.width, message.step, bool(message.is_bigendian)
        )
    return Frame(0, message.header.frame_id, encoding, image)
