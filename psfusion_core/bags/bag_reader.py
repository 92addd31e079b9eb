"""Bags, opened in one place: rosbag2 (sqlite3, mcap) and ROS 1, all of them as serialised ROS 2 messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple

from psfusion_core.bags.bag_paths import METADATA, check_bag_paths
from psfusion_core.bags.damage import open_damaged
from psfusion_core.bags.ros1 import Ros1Converter
from psfusion_core.bags.rosbags_package import import_rosbags
from psfusion_core.bags.unpacking import guard, unpack_message
from psfusion_core.base.wording import one_line
from psfusion_core.cameras.image_files import IMAGE_SUFFIXES

Storage = Literal["sqlite3", "mcap"]

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"


class BagError(ValueError):
    """A bag that cannot be used; the message is one line: what was expected, what came, what to do."""


@dataclass(frozen=True)
class Topic:
    """A topic of a bag.

    Attributes:
        name: as it was recorded.
        type: ROS 2 name of its messages.
        count: of its messages, as far as the bag knows.
        connection: how rosbags describes it.
    """

    name: str
    type: str
    count: int = field(compare=False)
    connection: Any = field(compare=False, repr=False)


class Recorded(NamedTuple):
    """A message: topic, time of recording (ns), and its CDR bytes with the encapsulation header."""

    topic: Topic
    time: int
    data: bytes


class Bag:
    """An open bag. Close it, or use it in a `with` statement.

    Attributes:
        path: of the bag.
        storage: of its files; None for ROS 1.
        topics: in it, in order of name.
        damage: what is wrong with it, in a few words; empty where it is intact.
    """

    def __init__(self, path: Path, accept_damage: bool = False) -> None:
        """Open a bag.

        Args:
            path: a rosbag2 folder, one of its mcap or db3 files, or a ROS 1 bag.
            accept_damage: open what is left of a rosbag2 that was not closed, see `damage.open_damaged`.

        Raises:
            BagError: no intact bag, or one that names files outside its folder or would not fit into memory.
            ImportError: the package rosbags is missing.
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
        except Exception as error:  # the library lets errors of yaml, sqlite and mcap through
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
        """Nanoseconds from the first to the last message."""
        first, last = (f(p) for f, p in ((_first, self._parts), (_last, self._parts)))
        return max(0, last - first)

    def messages(
        self, topics: Collection[Topic], start: int | None = None, stop: int | None = None
    ) -> Iterator[Recorded]:
        """Read messages in order of their time, one by one, so that memory does not grow with the length.

        Args:
            topics: to read.
            start: only messages recorded at this time or later, ns.
            stop: only messages recorded before, ns.

        Raises:
            BagError: the bag is damaged further in; what was yielded is intact.
        """
        try:
            for part in self._parts:
                yield from self._messages_of(part, topics, start, stop)
        except Exception as error:
            raise _not_intact(self.path, error) from error

    def trouble_with(self, topic: Topic) -> str:
        """Return why the messages of a topic cannot be had as those of ROS 2; empty where they can."""
        if self.converter is None:
            return ""
        try:
            self.converter.learn(topic.connection)
        except Exception as error:  # what rosbags raises about a definition
            return one_line(error)
        return ""

    def _messages_of(
        self, part: Any, topics: Collection[Topic], start: int | None, stop: int | None
    ) -> Iterator[Recorded]:
        wanted = {(topic.name, topic.type): topic for topic in topics}
        connections = [c for c in part.connections if (c.topic, c.msgtype) in wanted]
        if not connections:
            return
        for connection, time, data in part.messages(connections, start, stop):
            if self._are_messages_packed:
                data = unpack_message(data)
            if self.converter is not None:
                data = self.converter(connection, data)
            yield Recorded(wanted[connection.topic, connection.msgtype], time, data)

    @cached_property
    def converter(self) -> Any:
        """What makes a ROS 2 message of one of ROS 1; None where all are of ROS 2."""
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
    """Whether a folder, or those in it, hold images and it has nothing that a bag is made of."""
    if any(file.name == METADATA or file.suffix in (".mcap", ".db3", ".bag") for file in path.glob("*")):
        return False
    return any(file.suffix.lower() in IMAGE_SUFFIXES for level in ("*", "*/*") for file in path.glob(level))


def _not_intact(path: Path, error: Exception) -> BagError:
    return BagError(
        f"expected an intact rosbag2 folder (sqlite3 or mcap) or ROS 1 bag at {path}: {one_line(error)}"
    )
