"""Bags of strangers: a chunk unpacks to what it states and never beyond the limit, in every format."""

from __future__ import annotations

import bz2
import sys
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import lz4.frame
import pytest
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import Reader, Writer
from rosbags.rosbag2.enums import CompressionFormat, CompressionMode, StoragePlugin
from small_bags import messages, read_all, write_bag

from psfusion_core.bags import decompression
from psfusion_core.bags.bag_reader import Bag, BagError
from psfusion_core.bags.decompression import guard, unpack
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.cli import main

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

MAGIC = b"\x89MCAP0\r\n"
BOMB = 256 * 2**20
"""Bytes of zeros that a few kilobytes stand for."""
NO_SUMMARY = b"\x02" + (20).to_bytes(8, "little") + bytes(20)
FORMATS: dict[str, tuple[Callable[[bytes], bytes], Any]] = {
    "zstd": (zstd.compress, zstd.ZstdDecompressor),
    "lz4": (lz4.frame.compress, lz4.frame.LZ4FrameDecompressor),
    "bz2": (bz2.compress, bz2.BZ2Decompressor),
}


def string(text: str) -> bytes:
    return len(text).to_bytes(4, "little") + text.encode()


def record(opcode: int, content: bytes) -> bytes:
    return bytes([opcode]) + len(content).to_bytes(8, "little") + content


def mcap_with_chunk(path: Path, compression: str, packed: bytes, size: int) -> Path:
    """Write an mcap file of one chunk that states a size (MCAP specification, Header and Chunk)."""
    header = record(0x01, string("ros2") + string("test"))
    stated = bytes(16) + size.to_bytes(8, "little") + bytes(4)
    chunk = record(0x06, stated + string(compression) + len(packed).to_bytes(8, "little") + packed)
    path.write_bytes(MAGIC + header + chunk + NO_SUMMARY + MAGIC)
    return path


def peak_of(act: Callable[[], object]) -> int:
    """Bytes that Python allocated at most."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
@pytest.mark.parametrize("accept_damage", [False, True])
def test_a_chunk_that_states_too_little_is_not_unpacked_further(
    tmp_path: Path, compression: str, accept_damage: bool
) -> None:
    packed = FORMATS[compression][0](bytes(BOMB))
    bag = mcap_with_chunk(tmp_path / "bomb.mcap", compression, packed, 1000)

    def read() -> None:
        with pytest.raises(BagError, match=r"bomb\.mcap: expected compressed data of at most 1,000 bytes"):
            Bag(bag, accept_damage)

    assert peak_of(read) < BOMB // 16


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_chunk_that_states_more_than_it_holds_is_refused(tmp_path: Path, compression: str) -> None:
    bag = mcap_with_chunk(tmp_path / "short.mcap", compression, FORMATS[compression][0](bytes(1000)), 2000)
    with pytest.raises(BagError, match="a chunk states 2,000 bytes, but unpacks to 1,000"):
        Bag(bag)


def test_a_chunk_that_states_more_than_the_limit_is_refused_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = mcap_with_chunk(tmp_path / "bomb.mcap", "zstd", zstd.compress(bytes(1000)), 2**40)
    assert main(["bag", str(bag), str(tmp_path / "out")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "bomb.mcap" in line]
    assert "a chunk would unpack to 1,099,511,627,776 bytes, the limit is 1,073,741,824" in line
    assert not (tmp_path / "out").exists()


def test_an_index_of_too_large_chunks_of_one_time_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = write_bag(tmp_path / "bag", messages(4))
    with Bag(bag):
        pass
    monkeypatch.setattr(decompression, "LIMIT", 2000)
    with pytest.raises(BagError, match=r"chunks of one time would unpack to .* bytes, the limit is 2,000"):
        Bag(bag)


@pytest.mark.parametrize("name", FORMATS)
def test_data_are_unpacked_whole_up_to_the_limit_and_not_beyond(name: str) -> None:
    pack, make = FORMATS[name]
    data = bytes(range(256)) * 40
    packed = pack(data)
    assert unpack(make, packed, len(data)) == data
    with pytest.raises(ValueError, match="at most 10,239 bytes, got more"):
        unpack(make, packed, len(data) - 1)
    with pytest.raises(ValueError, match="whole compressed data"):
        unpack(make, packed[:-5], len(data))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("limit", [1000, 3000])
def test_what_follows_the_compressed_data_is_refused_rather_than_dropped(name: str, limit: int) -> None:
    pack, make = FORMATS[name]
    packed = pack(bytes(1000))
    with pytest.raises(ValueError, match=f"one compressed frame, got {len(packed):,} bytes more"):
        unpack(make, packed * 2, limit)
    with pytest.raises(ValueError, match="one compressed frame, got 4 bytes more"):
        unpack(make, packed + b"more", limit)


@pytest.mark.parametrize(
    ("holder", "name", "said"),
    [
        ("file", "chunks", r"chunks in McapReader of rosbags\.rosbag2\.storage_mcap"),
        ("folder", "storages", r"chunks in DirectoryReader of rosbags\.rosbag2\.reader"),
    ],
)
def test_a_version_of_rosbags_whose_chunks_cannot_be_looked_at_is_refused(
    tmp_path: Path, holder: str, name: str, said: str
) -> None:
    with Reader(write_bag(tmp_path / "bag", messages(2), "mcap")) as reader:
        folder: Any = reader.storage
        renamed = folder.storages[0] if holder == "file" else folder
        value = vars(renamed).pop(name)
        with pytest.raises(ImportError, match=f"expected {said}, got another version"):
            guard(reader)
        setattr(renamed, name, value)  # to be closed


@pytest.mark.parametrize("storage", list(StoragePlugin))
def test_messages_compressed_one_by_one_are_read_and_bounded(
    tmp_path: Path, storage: StoragePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = read_all(write_bag(tmp_path / "plain", messages(2)))
    writer = Writer(tmp_path / "packed", version=9, storage_plugin=storage)
    writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for topic, kind, time, data in messages(2):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=typestore())
            writer.write(connections[topic], time, data)
    assert read_all(tmp_path / "packed") == plain
    monkeypatch.setattr(decompression, "LIMIT", 1000)
    with pytest.raises(BagError, match=r"at most 1,000 bytes|the limit is 1,000"):
        read_all(tmp_path / "packed")


@pytest.mark.parametrize("compression", list(Ros1Writer.CompressionFormat))
def test_chunks_of_ros_1_are_read_and_bounded(
    tmp_path: Path, compression: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Ros1Writer(tmp_path / "old.bag")
    writer.set_compression(compression)
    with writer:
        connection = writer.add_connection("/text", "std_msgs/msg/String", typestore=typestore())
        writer.write(connection, 1, (5000).to_bytes(4, "little") + b"a" * 5000)
    (recorded,) = read_all(tmp_path / "old.bag")["/text"]
    assert recorded[1].count(b"a") == 5000
    monkeypatch.setattr(decompression, "LIMIT", 1000)
    with pytest.raises(BagError, match="at most 1,000 bytes"):
        read_all(tmp_path / "old.bag")
