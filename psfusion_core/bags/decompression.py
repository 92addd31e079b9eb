"""Decompresses chunks and messages of bags to the size that they state, and never beyond a limit.

A few kilobytes of zstd, lz4 or bz2 can stand for gigabytes of zeros. rosbags decompresses a whole chunk
before it checks the size, so this module replaces the decompressors of rosbags.
"""

from __future__ import annotations

import bz2
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

LIMIT = 2**30
"""Limit on the decompressed bytes of chunks that overlap in time. Recorders write chunks of about 1 MB."""


class Decompressor(Protocol):
    """The common interface of the decompressors of zstd, lz4 and bz2."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed data was reached."""

    @property
    def unused_data(self) -> bytes | None:
        """The data after that end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Decompress up to a number of bytes."""


def unpack(make: Callable[[], Decompressor], data: bytes, limit: int) -> bytes:
    """Decompress data that may come from an untrusted source.

    Args:
        make: Makes the decompressor.
        data: One compressed frame.
        limit: Largest size of the result, in bytes. At most one byte more is ever produced.

    Raises:
        ValueError: The result would be larger, the data are incomplete, or further data follow. Recorders
            write one frame per chunk.
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
    """Decompress a message of a rosbag2 bag in compression mode "message"; raises as `unpack` does."""
    return unpack(_zstd().ZstdDecompressor, data, LIMIT)


def bound_decompressors() -> None:
    """Replace the decompressors of rosbags by ones with a limit, for all readers of this process.

    Raises:
        ImportError: This version of rosbags has no tables of decompressors.
    """
    import lz4.frame

    mcap: dict[str, Any] = _table("rosbags.rosbag2.storage_mcap", "DECOMPRESSORS", {"zstd", "lz4"})
    ros1: dict[str, Any] = _table("rosbags.rosbag1.reader", "decompressors", {"bz2", "lz4"})
    mcap["zstd"] = _chunks(_zstd().ZstdDecompressor)
    mcap["lz4"] = _chunks(lz4.frame.LZ4FrameDecompressor)
    ros1["bz2"] = lambda data: unpack(bz2.BZ2Decompressor, data, LIMIT)
    ros1["lz4"] = lambda data: unpack(lz4.frame.LZ4FrameDecompressor, data, LIMIT)


def guard(reader: Any) -> bool:
    """Check how much memory an open rosbags reader would need, and turn off its decompression of messages.

    Returns:
        Whether the reader yields compressed messages from now on, each for `unpack_message`.

    Raises:
        ValueError: As `check_index`.
        ImportError: This version of rosbags lacks an attribute that is checked.
    """
    bag = getattr(reader, "storage", None)  # None for a reader of ROS 1, which holds one chunk at a time
    for file in getattr(bag, "storages", [bag]):
        check_index(_index_of(file))
    metadata = getattr(bag, "metadata", None)  # a `DamagedDatabase` has none
    if bag is None or metadata is None or _attribute(metadata, "compression_mode") != "message":
        return False
    bag.metadata = metadata._replace(compression_mode=None)
    return True


def check_index(chunks: Iterable[Any]) -> None:
    """Check the sizes in the index of an mcap file. Chunks that overlap in time are in memory together.

    Args:
        chunks: The index entries that rosbags read.

    Raises:
        ValueError: Overlapping chunks would decompress to more than the limit.
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
    """Return the chunk index of a file that rosbags opened; only databases may have none."""
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
    """Make a function that decompresses a chunk, given the size that the chunk states."""

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
