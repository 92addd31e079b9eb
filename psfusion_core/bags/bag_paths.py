"""Checks that a rosbag2 bag only refers to files inside its own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import yaml

from psfusion_core.base.wording import one_line

METADATA = "metadata.yaml"


def check_bag_paths(folder: Path) -> None:
    """Check that the metadata of a bag name no file outside its folder. Symbolic links are not checked.

    Args:
        folder: The bag. A single mcap or db3 file, or a folder without metadata.yaml, passes the check.

    Raises:
        OSError: The metadata cannot be read.
        ValueError: The metadata name a file outside, or are not YAML. The message is one line.
    """
    file = folder / METADATA
    if not file.is_file():
        return
    try:
        metadata = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (
        yaml.YAMLError,
        ValueError,
        LookupError,
        RecursionError,
    ) as error:  # yaml lets all these through
        raise ValueError(
            f"expected YAML in {file}, got {one_line(error)}: record or copy the bag again"
        ) from error
    for path in _paths(metadata):
        parts = PureWindowsPath(path)  # it understands drive letters and both kinds of slashes
        if parts.anchor or ".." in parts.parts or "\\" in path:
            raise ValueError(
                f"expected files inside the bag in {file}, got {path[:200]!r}: "
                "do not play this bag unless you know who made it"
            )


def _paths(metadata: object) -> Iterator[str]:
    """Yield the file paths in metadata of any version. Missing entries are left to the bag reader."""
    information = metadata.get("rosbag2_bagfile_information") if isinstance(metadata, dict) else None
    if not isinstance(information, dict):
        return
    for path in information.get("relative_file_paths") or ():
        yield str(path)
    for entry in information.get("files") or ():
        if isinstance(entry, dict):
            yield str(entry.get("path", ""))
