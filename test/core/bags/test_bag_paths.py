"""A bag may name files inside its folder only; real bags of every storage and version pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psfusion_core.bags.bag_paths import METADATA, check_bag_paths

rosbag2 = pytest.importorskip("rosbags.rosbag2", reason="needs rosbags (extra bag)")

ONE_LINE = r"\Aexpected [^\n]+, got [^\n]+\Z"
OUTSIDE = [
    "../other.db3",
    "bag/../../other.db3",
    "/etc/passwd",
    "..",
    "..\\other.db3",
    "C:\\other.db3",
    "C:other.db3",
    "\\\\host\\share\\other.db3",
    "folder\\other.db3",
]


@pytest.fixture(params=["SQLITE3", "MCAP"])
def bag(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    plugin = rosbag2.StoragePlugin[request.param]
    with rosbag2.Writer(tmp_path / "bag", version=9, storage_plugin=plugin) as writer:
        notes = writer.add_connection("/notes", "std_msgs/msg/String", typestore=store)
        writer.write(notes, 1, b"\0\1\0\0\2\0\0\0a\0")
    return tmp_path / "bag"


def rename_file(bag: Path, path: object, listed: bool = True) -> None:
    """Make the metadata name another file, in one of the two places where they do."""
    metadata = yaml.safe_load((bag / METADATA).read_text())
    information = metadata["rosbag2_bagfile_information"]
    if listed:
        information["relative_file_paths"] = [path]
    else:
        information["files"] = [{"path": path}]
    (bag / METADATA).write_text(yaml.safe_dump(metadata))


def test_a_bag_as_it_was_written_passes(bag: Path) -> None:
    check_bag_paths(bag)


@pytest.mark.parametrize("path", ["bag_0.db3", "bag/bag_0.db3", "./bag_0.db3", "a..b.db3", ".hidden..db3"])
def test_files_below_the_bag_pass_as_old_and_new_recorders_name_them(bag: Path, path: str) -> None:
    rename_file(bag, path)

    check_bag_paths(bag)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("path", OUTSIDE)
def test_files_outside_the_bag_are_refused(bag: Path, path: str, listed: bool) -> None:
    rename_file(bag, path, listed)

    with pytest.raises(ValueError, match=ONE_LINE) as raised:
        check_bag_paths(bag)
    assert f"{METADATA}, got {path!r}" in str(raised.value)


def test_where_there_are_no_metadata_there_is_nothing_to_check(bag: Path) -> None:
    storage = next(file for file in bag.iterdir() if file.name != METADATA)
    check_bag_paths(storage)
    (bag / METADATA).unlink()
    check_bag_paths(bag)


DAMAGED = [
    *(b"!!int ''", b"!!bool x", b"[" * 3000, b"2001-99-99", b"{a: b", b"\xff"),
    b"!!python/object/apply:os.system [exit]",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.sampled_from(DAMAGED))
def test_metadata_of_any_bytes_pass_or_are_a_value_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / METADATA).write_bytes(content)
    said = None
    try:
        check_bag_paths(tmp_path)
    except ValueError as error:
        said = str(error)
    assert said is None or re.match(ONE_LINE, said)


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_metadata_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / METADATA).write_bytes(content)

    with pytest.raises(ValueError, match=r"\Aexpected YAML in [^\n]+, got [^\n]+\Z"):
        check_bag_paths(tmp_path)


@pytest.mark.parametrize(
    "information", [None, [], {}, {"relative_file_paths": None}, {"files": [1, None, {}]}]
)
def test_what_is_missing_in_the_metadata_is_left_to_the_reader(tmp_path: Path, information: object) -> None:
    (tmp_path / METADATA).write_text(yaml.safe_dump({"rosbag2_bagfile_information": information}))

    check_bag_paths(tmp_path)
