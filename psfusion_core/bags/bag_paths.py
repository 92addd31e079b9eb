"""Where the files of a rosbag2 bag lie: inside its folder, whatever a bag from elsewhere says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import yaml

from psfusion_core.base.wording import one_line

METADATA = "metadata.yaml"


def check_bag_paths(folder: Path) -> None:
    """Check that the metadata of a bag name no file outside its folder. Symbolic links are the user's own.

    Args:
        folder: the bag. There is nothing to check where it has no metadata.yaml, or is a single mcap or db3.

    Raises:
        OSError: the metadata cannot be read.
        ValueError: they name a file outside, or are no YAML; the message is one line.
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
        parts = PureWindowsPath(path)  # it knows drives and both kinds of slashes
        if parts.anchor or ".." in parts.parts or "\\" in path:
            raise ValueError(
                f"expected files inside the bag in {file}, got {path[:200]!r}: "
                "do not play this bag unless you know who made it"
            )


def _paths(metadata: object) -> Iterator[str]:
    """Yield what the metadata, of any version, say about files; the reader complains of what is missing."""
    information = metadata.get("rosbag2_bagfile_information") if isinstance(metadata, dict) else None
    if not isinstance(information, dict):
        return
    for path in information.get("relative_file_paths") or ():
        yield str(path)
    for entry in information.get("files") or ():
        if isinstance(entry, dict):
            yield str(entry.get("path", ""))
