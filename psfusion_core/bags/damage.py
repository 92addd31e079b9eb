"""What is left of a rosbag2 whose recorder was killed: no metadata, files without an end, lost pages."""

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
"""Footer record that says there is no summary, and the magic at the end (MCAP specification, Footer)."""


def open_damaged(path: Path) -> list[Any]:
    """Open what can be read of the files of a rosbag2, each as a reader like those of rosbags.

    Args:
        path: the folder, whose metadata are not looked at, or one file.

    Returns:
        The readers in order of the files' numbers; none where there is nothing to read.
    """
    files = [path] if path.is_file() else sorted(path.iterdir(), key=_number)
    readers = []
    for file in files:
        if file.suffix in (".mcap", ".db3"):
            readers += _open(file)
    return readers


def _number(file: Path) -> tuple[int, str]:
    """Order bag_2.mcap before bag_10.mcap."""
    found = re.search(r"(\d+)$", file.stem)
    return int(found[1]) if found else -1, file.name


def _open(file: Path) -> list[Any]:
    from rosbags.rosbag2 import Reader

    for make in (Reader, MendedMcap if file.suffix == ".mcap" else DamagedDatabase):
        try:
            reader = make(file)
            reader.open()
            return [reader]
        except Exception:  # the libraries let errors of their formats through
            continue
    return []


class MendedMcap:
    """A reader of an MCAP file up to its last whole record, as if it had been closed there."""

    def __init__(self, file: Path) -> None:
        from rosbags.rosbag2 import Reader

        self._reader = Reader(_Mended(file))  # type: ignore[arg-type]  # all that is asked of a path

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
        # In the order of the file: without an index there is no other.
        yield from self._reader.storage.messages_scan(connections, start, stop)  # type: ignore[attr-defined]


class _Mended:
    """What rosbags needs of a path, of a file that ends after its last whole record."""

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
    """Return where the last whole record ends: opcode, 8 bytes of length, content, one after the other."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = len(MAGIC)
        while True:
            file.seek(position)
            opcode, length = file.read(1), file.read(8)
            after = position + 9 + int.from_bytes(length, "little")
            # A data end or a footer would be followed by what the summary says.
            if len(length) < 8 or after > size or opcode in (b"\x02", b"\x0f"):
                return position
            position = after


class _WithFooter(io.RawIOBase):
    """The beginning of a file and a footer behind it."""

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
    """A reader of a db3 file that takes the messages in the order of the table, until a page is gone."""

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
        self._connection.execute("PRAGMA writable_schema = ON")  # else a file that is too short is refused
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
        # The plus keeps SQLite from the index, which may be gone. The end is not its business either: it
        # would look for more behind it, and find the damage.
        query = "SELECT topic_id, timestamp, data FROM messages WHERE +timestamp >= ? ORDER BY id"
        for number, time, data in self._connection.execute(query, (-(2**63) if start is None else start,)):
            if number in by_number and (stop is None or time < stop):
                yield by_number[number], time, data
