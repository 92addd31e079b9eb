"""Reads Fast DDS profiles: which file applies, and how much shared memory it reserves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from psfusion_core.base.wording import one_line

OLD_DISTRIBUTIONS = ("humble", "jazzy")
"""Distributions with Fast DDS 2, which reads OLD_VARIABLE. Fast DDS 3 reads NEW_VARIABLE only."""

OLD_VARIABLE, NEW_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"
TRANSPORTS_VARIABLE = "FASTDDS_BUILTIN_TRANSPORTS"

WITHOUT_MEMORY = ("NONE", "UDPV4", "UDPV6", "P2P")
"""Values of TRANSPORTS_VARIABLE that do not use shared memory."""

DEFAULT_SEGMENT = 512 * 1024
"""Default size of a segment in bytes. With its bookkeeping the file in /dev/shm has 549,408 bytes."""

LARGEST_PROFILE = 1 << 20
"""Largest size of a profile that is read, in bytes."""


class ProfileError(ValueError):
    """A file is not a valid profile. The message is one line that says why."""


@dataclass(frozen=True)
class Transports:
    """How the participants of a process send data.

    Attributes:
        segment: Bytes of shared memory for data to other processes on the same machine; 0 means none.
        source: Where that size is set, in a few words.
    """

    segment: int
    source: str


def variable(environment: Mapping[str, str]) -> str:
    """Return the name of the variable that the Fast DDS of this distribution reads."""
    return OLD_VARIABLE if environment.get("ROS_DISTRO") in OLD_DISTRIBUTIONS else NEW_VARIABLE


def find_transports(environment: Mapping[str, str]) -> Transports:
    """Return the transports of a process with these environment variables.

    Raises:
        ProfileError: The variable names a file that cannot be read, or that is no profile.
    """
    path = environment.get(variable(environment))
    builtin = environment.get(TRANSPORTS_VARIABLE, "")
    default = DEFAULT_SEGMENT if builtin.partition("?")[0].upper() not in WITHOUT_MEMORY else 0
    if path:
        segment = read_segment(read_profile(Path(path)))
        return Transports(default if segment is None else segment, path)
    return Transports(default, f"{TRANSPORTS_VARIABLE}={builtin}" if builtin else "Fast DDS's default")


def read_profile(path: Path) -> str:
    """Return the text of a profile.

    Raises:
        ProfileError: The file cannot be read, is not text, or is too large.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_PROFILE + 1)
        if len(data) > LARGEST_PROFILE:
            raise ProfileError(f"{path} has more than {LARGEST_PROFILE} bytes: it is no profile")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path} cannot be read: {one_line(error)}") from error


def read_segment(text: str) -> int | None:
    """Return the bytes of shared memory that the default participant of a profile uses.

    Returns:
        The size of the largest segment if there are several; 0 if the participant uses no shared memory;
        None if the profile does not set it, so that Fast DDS uses its default.

    Raises:
        ProfileError: The text is not XML, declares entities, or has a size that is no number.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ProfileError("a profile has no DOCTYPE and no entities: remove them")
    try:
        root = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, ValueError) as error:
        raise ProfileError(f"not XML: {error}") from error
    descriptors = {_text(item, "transport_id"): item for item in _all(root, "transport_descriptor")}
    participants = [item for item in _all(root, "participant") if _is_true(item.get("is_default_profile"))]
    if not participants:
        return None
    participant = participants[0]
    used = [
        descriptors[name]
        for transports in _all(participant, "userTransports")
        for item in _all(transports, "transport_id")
        if (name := (item.text or "").strip()) in descriptors
    ]
    segments = [_size(item) for item in used if _text(item, "type").upper() == "SHM"]
    if segments:
        return max(segments)
    builtin = [_is_true(item.text) for item in _all(participant, "useBuiltinTransports")]
    return None if all(builtin) else 0


def _size(descriptor: ElementTree.Element) -> int:
    text = _text(descriptor, "segment_size")
    if not text:
        return DEFAULT_SEGMENT
    if not (text.isascii() and text.isdigit()):
        raise ProfileError(f"expected segment_size in bytes, got {text[:40]!r}: write a whole number")
    return int(text[:20])


def _all(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Return the descendants with a name, in any namespace, as Fast DDS does."""
    return [item for item in element.iter() if item.tag.rpartition("}")[2] == name]


def _text(element: ElementTree.Element, name: str) -> str:
    return next(((item.text or "").strip() for item in _all(element, name)), "")


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in ("true", "1")
