"""Compressed chunks and messages of bags, unpacked to the size that they state and never beyond a limit.

A few kilobytes of zstd, lz4 or bz2 can stand for gigabytes of zeros. rosbags unpacks a chunk whole before it
looks at the size, so its tables of decompressors get those of this module.
"""

from __future__ import annotations

import bz2
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

LIMIT = 2**30
"""Bytes that chunks of one time may unpack to together; recorders write chunks of about a megabyte."""


class Decompressor(Protocol):
    """What the decompressors of zstd, lz4 and bz2 have in common."""

    @property
    def eof(self) -> bool:
        """The end of the compressed data was reached."""

    @property
    def unused_data(self) -> bytes | None:
        """What came behind that end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Unpack up to a number of bytes."""


def unpack(make: Callable[[], Decompressor], data: bytes, limit: int) -> bytes:
    """Unpack data that may come from a stranger.

    Args:
        make: makes the decompressor.
        data: one compressed frame.
        limit: of the result, bytes; no more than this and one byte is ever produced.

    Raises:
        ValueError: they unpack to more, are cut short, or more follows them; recorders write a frame a chunk.
    """
    decompressor = make()
    unpacked = decompressor.decompress(data, max_length=limit + 1)
    if len(unpacked) > limit:
        raise ValueError(f"expected compressed data of at most {limit:,} bytes, got more")
    if not decompressor.eof:
        raise ValueError("expected whole compressed data, got a part")
    if decompressor.unused_data:
        raise ValueError(f"expected one compressed frame, got {len(decompressor.unused_data):,} bytes more")
    return unpacked


def unpack_message(data: bytes) -> bytes:
    """Unpack a message of a rosbag2 that was compressed message by message; raises as `unpack` does."""
    return unpack(_zstd().ZstdDecompressor, data, LIMIT)


def bound_decompressors() -> None:
    """Put decompressors with a limit into rosbags, for everything that reads bags in this process.

    Raises:
        ImportError: this rosbags has no tables for them.
    """
    import lz4.frame

    mcap: dict[str, Any] = _table("rosbags.rosbag2.storage_mcap", "DECOMPRESSORS", {"zstd", "lz4"})
    ros1: dict[str, Any] = _table("rosbags.rosbag1.reader", "decompressors", {"bz2", "lz4"})
    mcap["zstd"] = _chunks(_zstd().ZstdDecompressor)
    mcap["lz4"] = _chunks(lz4.frame.LZ4FrameDecompressor)
    ros1["bz2"] = lambda data: unpack(bz2.BZ2Decompressor, data, LIMIT)
    ros1["lz4"] = lambda data: unpack(lz4.frame.LZ4FrameDecompressor, data, LIMIT)


def guard(reader: Any) -> bool:
    """Check what an open reader of rosbags would hold in memory, and keep it from unpacking single messages.

    Returns:
        Whether its messages come packed from now on, each for `unpack_message`.

    Raises:
        ValueError: see `check_index`.
        ImportError: this rosbags keeps elsewhere what is checked.
    """
    bag = getattr(reader, "storage", None)  # a reader of ROS 1 has none, and holds one chunk at a time
    for file in getattr(bag, "storages", [bag]):
        check_index(_index_of(file))
    metadata = getattr(bag, "metadata", None)  # what is left of a damaged database has none
    if bag is None or metadata is None or _attribute(metadata, "compression_mode") != "message":
        return False
    bag.metadata = metadata._replace(compression_mode=None)
    return True


def check_index(chunks: Iterable[Any]) -> None:
    """Check the sizes in the index of an mcap file: chunks whose times overlap are in memory together.

    Args:
        chunks: as rosbags read them.

    Raises:
        ValueError: they would unpack to more than the limit.
    """
    changes = []
    for chunk in chunks:
        changes.append((chunk.message_start_time, chunk.uncompressed_size))
        changes.append((chunk.message_end_time + 1, -chunk.uncompressed_size))
    held = 0
    for _, change in sorted(changes):
        held += change
        _check_size(held, "chunks of one time")


def _index_of(file: Any) -> list[Any]:
    """Return the chunks of what rosbags opened; of all that it opens, only databases may have none."""
    module = type(file).__module__
    if not module.startswith("rosbags.") or "sqlite3" in module:
        return []
    chunks: list[Any] = _attribute(file, "chunks")
    return chunks


def _attribute(owner: Any, name: str) -> Any:
    if not hasattr(owner, name):
        kind = type(owner)
        raise ImportError(f"expected {name} in {kind.__name__} of {kind.__module__}, got another version")
    return getattr(owner, name)


def _chunks(make: Callable[[], Decompressor]) -> Callable[[bytes, int], bytes]:
    """A decompressor of chunks, which is given the size that the chunk states."""

    def unpack_chunk(data: bytes, size: int) -> bytes:
        _check_size(size, "a chunk")
        unpacked = unpack(make, data, size)
        if len(unpacked) < size:
            raise ValueError(f"a chunk states {size:,} bytes, but unpacks to {len(unpacked):,}")
        return unpacked

    return unpack_chunk


def _check_size(size: int, what: str) -> None:
    if size > LIMIT:
        raise ValueError(f"{what} would unpack to {size:,} bytes, the limit is {LIMIT:,}")


def _table(module: str, name: str, formats: set[str]) -> dict[str, Any]:
    table: dict[str, Any] = getattr(importlib.import_module(module), name, {})
    if not formats <= table.keys():
        raise ImportError(f"expected {', '.join(sorted(formats))} in {name} of {module}, got another version")
    return table


def _zstd() -> Any:
    return importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
