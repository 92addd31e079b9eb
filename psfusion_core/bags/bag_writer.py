"""Writes rosbag2 folders with new topics and with topics copied from another bag."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from psfusion_core.bags.bag_reader import Storage, Topic
from psfusion_core.bags.rosbags_package import import_rosbags, typestore

UNKNOWN_HASH = f"RIHS01_{'0' * 64}"
"""Hash of a message type that the bag does not define; bags of Humble define none. Players ignore it."""


class BagWriter:
    """Writes a rosbag2 folder, which must not exist. Use it in a `with` statement.

    It writes metadata version 8, which every rosbag2 since Humble reads.
    """

    def __init__(self, folder: Path, storage: Storage) -> None:
        rosbag2 = import_rosbags().rosbag2
        plugin = {"sqlite3": rosbag2.StoragePlugin.SQLITE3, "mcap": rosbag2.StoragePlugin.MCAP}[storage]
        self._writer = rosbag2.Writer(folder, version=8, storage_plugin=plugin)
        self._types = typestore()
        self._connections: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def add(self, name: str, type: str) -> None:
        """Add a topic of a message type of ROS 2."""
        self._connections[name, type] = self._writer.add_connection(name, type, typestore=self._types)

    def copy(self, topic: Topic, types: Any | None = None) -> None:
        """Add a topic with the definition and the QoS profiles that it has in another bag.

        Args:
            topic: The topic in the other bag.
            types: The message types, if the messages were converted.
        """
        given = topic.connection
        if types is not None:
            connection = self._writer.add_connection(topic.name, topic.type, typestore=types)
        else:
            connection = self._writer.add_connection(
                topic.name,
                topic.type,
                msgdef=given.msgdef.data or self._definition(topic.type),
                rihs01=given.digest or self._hash(topic.type),
                offered_qos_profiles=given.ext.offered_qos_profiles,
            )
        self._connections[topic.name, topic.type] = connection

    def write(self, name: str, type: str, time: int, data: bytes) -> None:
        """Write a message to a topic that was added, with its time of recording in ns."""
        self._writer.write(self._connections[name, type], time, data)

    def _definition(self, type: str) -> str:
        known = type in self._types.fielddefs
        return str(self._types.generate_msgdef(type, ros_version=2)[0]) if known else ""

    def _hash(self, type: str) -> str:
        return str(self._types.hash_rihs01(type)) if type in self._types.fielddefs else UNKNOWN_HASH
