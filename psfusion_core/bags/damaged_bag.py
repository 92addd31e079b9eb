"""Reads the intact part of a rosbag2 bag whose recorder was killed.

Such a bag may lack its metadata, the end of an mcap file, or pages of a db3 file.
"""

from __future__ import annotations

import io
import re
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

MAGIC = b"\x89MCAP0\r\n"
FOOTER = b"\x02" + (20).to_bytes(8, "little") + bytes(20) + MAGIC
"""A footer record without a summary, and the magic at the end (MCAP specification, Footer)."""


def open_damaged(path: Path) -> list[Any]:
    """Open every readable file of a rosbag2 bag.

    Args:
        path: The folder of the bag, or one of its files. The metadata are ignored.

    Returns:
        Objects with the interface of a rosbags reader, in the order of the file numbers; may be empty.
    """
    files = [path] if path.is_file() else sorted(path.iterdir(), key=_number)
    readers = []
    for file in files:
        if file.suffix in (".mcap", ".db3"):
            readers += _open(file)
    return readers


def _number(file: Path) -> tuple[int, str]:
    """Sort key that puts bag_2.mcap before bag_10.mcap."""
    found = re.search(r"(\d+)$", file.stem)
    return int(found[1]) if found else -1, file.name


def _open(file: Path) -> list[Any]:
    from rosbags.rosbag2 import Reader

    for make in (Reader, MendedMcap if file.suffix == ".mcap" else DamagedDatabase):
        try:
            reader = make(file)
            reader.open()
            return [reader]
        except Exception:  # rosbags passes on the errors of mcap and sqlite
            continue
    return []


class MendedMcap:
    """Reads an MCAP file up to its last whole record, as if it had been closed there."""

    def __init__(self, file: Path) -> None:
        from rosbags.rosbag2 import Reader

        self._reader = Reader(_Mended(file))  # type: ignore[arg-type]  # it has what rosbags uses of a path

    def open(self) -> None:
        self._reader.open()
        self.connections = self._reader.connections
        self.start_time, self.end_time = self._reader.start_time, self._reader.end_time
        self.storage = self._reader.storage

    def close(self) -> None:
        self._reader.close()

    def messages(
        self, connections: Collection[Any], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Any, int, bytes]]:
        # In the order of the file, because there is no index to sort by time.
        yield from self._reader.storage.messages_scan(connections, start, stop)  # type: ignore[attr-defined]


class _Mended:
    """Stands for the path of a file that ends after its last whole record, as far as rosbags uses a path."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.suffix = file.suffix
        self.end = _end_of_records(file)

    def exists(self) -> bool:
        return True

    def is_dir(self) -> bool:
        return False

    def open(self, mode: str) -> BinaryIO:
        return io.BufferedReader(_WithFooter(self.file, self.end))

    def __str__(self) -> str:
        return str(self.file)


def _end_of_records(path: Path) -> int:
    """Return the offset after the last whole record: an opcode, 8 bytes of length, and the content."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = len(MAGIC)
        while True:
            file.seek(position)
            opcode, length = file.read(1), file.read(8)
            after = position + 9 + int.from_bytes(length, "little")
            # Stop before a data end or a footer: they refer to a summary, which may be missing.
            if len(length) < 8 or after > size or opcode in (b"\x02", b"\x0f"):
                return position
            position = after


class _WithFooter(io.RawIOBase):
    """The beginning of a file, followed by a footer."""

    def __init__(self, path: Path, end: int) -> None:
        self._file = path.open("rb")
        self._end = end
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._position, self._end + len(FOOTER))[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position < self._end:
            self._file.seek(self._position)
            data = self._file.read(min(len(buffer), self._end - self._position))
        else:
            data = FOOTER[self._position - self._end :][: len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


class DamagedDatabase:
    """Reads the messages of a db3 file in the order of the table, up to the first lost page."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.connections: list[Any] = []
        self.start_time = self.end_time = 0
        self.storage = SimpleNamespace(storages=[self])

    def open(self) -> None:
        from rosbags.interfaces import (
            Connection,
            ConnectionExtRosbag2,
            MessageDefinition,
            MessageDefinitionFormat,
        )

        self._connection = sqlite3.connect(f"file:{self._file}?mode=ro&immutable=1", uri=True)
        self._connection.execute("PRAGMA writable_schema = ON")  # otherwise SQLite refuses a truncated file
        nothing = MessageDefinition(MessageDefinitionFormat.NONE, "")
        for number, name, kind in self._connection.execute("SELECT id, name, type FROM topics"):
            extension = ConnectionExtRosbag2("cdr", [])
            self.connections.append(Connection(number, name, kind, nothing, "", 0, extension, self))

    def close(self) -> None:
        self._connection.close()

    def messages(
        self, connections: Collection[Any], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Any, int, bytes]]:
        by_number = {connection.id: connection for connection in connections}
        # The plus keeps SQLite from using the index, which may be lost. The stop time is not in the query,
        # because SQLite would read on after it and meet the damage.
        query = "SELECT topic_id, timestamp, data FROM messages WHERE +timestamp >= ? ORDER BY id"
        for number, time, data in self._connection.execute(query, (-(2**63) if start is None else start,)):
            if number in by_number and (stop is None or time < stop):
                yield by_number[number], time, data
