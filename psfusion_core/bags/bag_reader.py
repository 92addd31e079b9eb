"""Opens bags of rosbag2 (sqlite3, mcap) and ROS 1, and yields serialised ROS 2 messages from all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

from psfusion_core.bags.bag_paths import METADATA, check_bag_paths
from psfusion_core.bags.damaged_bag import open_damaged
from psfusion_core.bags.decompression import guard, unpack_message
from psfusion_core.bags.ros1 import Ros1Converter
from psfusion_core.bags.rosbags_package import import_rosbags
from psfusion_core.base.wording import one_line
from psfusion_core.cameras.image_files import IMAGE_SUFFIXES

Storage = Literal["sqlite3", "mcap"]

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"


class BagError(ValueError):
    """A bag that cannot be used. The message is one line: what was expected, what was found, what to do."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: The name under which it was recorded.
        type: The ROS 2 type of its messages.
        count: The number of its messages according to the bag.
        connection: The description of the topic by rosbags.
    """

    name: str
    type: str
    count: int = field(compare=False)
    connection: Any = field(compare=False, repr=False)


class RecordedMessage(NamedTuple):
    """A message: topic, time of recording in ns, and CDR bytes with the encapsulation header."""

    topic: Topic
    time: int
    data: bytes


class Bag:
    """An open bag. Close it, or use it in a `with` statement.

    Attributes:
        path: The path of the bag.
        storage: The storage format of its files; None for ROS 1.
        topics: Its topics, sorted by name.
        damage: The problem of a damaged bag, in a few words; empty if the bag is intact.
    """

    def __init__(self, path: Path, accept_damage: bool = False) -> None:
        """Open a bag.

        Args:
            path: A rosbag2 folder, one of its mcap or db3 files, or a ROS 1 bag.
            accept_damage: Also open the readable part of a rosbag2 bag that was not closed (`open_damaged`).

        Raises:
            BagError: The bag is not intact, names files outside its folder, or would not fit into memory.
            ImportError: The package rosbags is missing.
        """
        self.path = path
        self.damage = ""
        self._parts: list[Any] = []
        readers = import_rosbags()
        try:
            check_bag_paths(path)
        except (ValueError, OSError) as error:
            raise _not_intact(path, error) from error
        if not path.exists():
            raise BagError(f"no such file or folder: {path}")
        if _holds_only_images(path):
            raise BagError(
                f"{path} is no bag (it has no {METADATA}): for folders of images use psfusion fuse, or "
                "psfusion calibrate with --visible and --infrared"
            )
        try:
            if path.suffix == ".bag":
                self._parts.append(readers.rosbag1.Reader(path))
            else:
                self._parts.append(readers.rosbag2.Reader(path))
            self._parts[0].open()
        except Exception as error:  # rosbags passes on the errors of yaml, sqlite and mcap
            self._parts = []
            left = open_damaged(path) if accept_damage else []
            if not left:
                raise _not_intact(path, error) from error
            self._parts, self.damage = left, one_line(error)
        try:
            packed = [guard(part) for part in self._parts]
        except ValueError as error:
            self.close()
            raise _not_intact(path, error) from error
        self._are_messages_packed = any(packed)
        self.storage: Storage | None = None if path.suffix == ".bag" else _storage(self._parts)
        self.topics = sorted(_topics(self._parts).values(), key=lambda topic: (topic.name, topic.type))

    def close(self) -> None:
        for part in self._parts:
            part.close()

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def duration(self) -> int:
        """Time from the first to the last message, in ns."""
        first, last = (f(p) for f, p in ((_first, self._parts), (_last, self._parts)))
        return max(0, last - first)

    def messages(
        self, topics: Collection[Topic], start: int | None = None, stop: int | None = None
    ) -> Iterator[RecordedMessage]:
        """Read messages in order of time, one by one, so that memory does not grow with the bag.

        Args:
            topics: The topics to read.
            start: Skip messages that were recorded before this time, in ns.
            stop: Skip messages that were recorded at this time or later, in ns.

        Raises:
            BagError: The rest of the bag is damaged. The messages yielded so far are intact.
        """
        try:
            for part in self._parts:
                yield from self._messages_of(part, topics, start, stop)
        except Exception as error:
            raise _not_intact(self.path, error) from error

    def trouble_with(self, topic: Topic) -> str:
        """Return why the messages of a topic cannot be converted to ROS 2; empty if they can."""
        if self.converter is None:
            return ""
        try:
            self.converter.learn(topic.connection)
        except Exception as error:  # rosbags raises several types for a bad definition
            return one_line(error)
        return ""

    def _messages_of(
        self, part: Any, topics: Collection[Topic], start: int | None, stop: int | None
    ) -> Iterator[RecordedMessage]:
        wanted = {(topic.name, topic.type): topic for topic in topics}
        connections = [c for c in part.connections if (c.topic, c.msgtype) in wanted]
        if not connections:
            return
        for connection, time, data in part.messages(connections, start, stop):
            if self._are_messages_packed:
                data = unpack_message(data)
            if self.converter is not None:
                data = self.converter(connection, data)
            yield RecordedMessage(wanted[connection.topic, connection.msgtype], time, data)

    @cached_property
    def converter(self) -> Any:
        """Converts messages of ROS 1 to ROS 2; None for a rosbag2 bag."""
        if self.storage is not None:
            return None
        return Ros1Converter()


def _topics(parts: list[Any]) -> dict[tuple[str, str], Topic]:
    topics: dict[tuple[str, str], Topic] = {}
    for connection in (connection for part in parts for connection in part.connections):
        key = connection.topic, connection.msgtype
        count = connection.msgcount + (topics[key].count if key in topics else 0)
        topics[key] = Topic(*key, count, connection)
    return topics


def _storage(parts: list[Any]) -> Storage:
    file = parts[0].storage
    files = getattr(file, "storages", None) or [file]
    return "mcap" if "mcap" in type(files[0]).__module__ else "sqlite3"


def _first(parts: list[Any]) -> int:
    return min((part.start_time for part in parts if part.connections), default=0)


def _last(parts: list[Any]) -> int:
    return max((part.end_time - 1 for part in parts if part.connections), default=0)


def _holds_only_images(path: Path) -> bool:
    """Whether a folder or its subfolders hold images, and the folder has no file of a bag."""
    if any(file.name == METADATA or file.suffix in (".mcap", ".db3", ".bag") for file in path.glob("*")):
        return False
    return any(file.suffix.lower() in IMAGE_SUFFIXES for level in ("*", "*/*") for file in path.glob(level))


def _not_intact(path: Path, error: Exception) -> BagError:
    return BagError(
        f"expected an intact rosbag2 folder (sqlite3 or mcap) or ROS 1 bag at {path}: {one_line(error)}"
    )
