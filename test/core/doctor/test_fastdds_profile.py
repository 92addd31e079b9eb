"""Fast DDS profiles are read as Fast DDS would, and whatever is no profile is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.doctor.fastdds_profile import (
    DEFAULT_SEGMENT,
    LARGEST_PROFILE,
    ProfileError,
    find_transports,
    read_segment,
)

ROOT = Path(__file__).resolve().parents[3]
SPACE = "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"


def profile(
    transports: list[tuple[str, str, int | None]],
    used: list[str],
    builtin: bool | None,
    is_default: bool = True,
    root: str = f'dds xmlns="{SPACE}"',
) -> str:
    """Write a profile whose participant uses some of the transports (name, type, bytes of the segment)."""
    described = "".join(
        f"<transport_descriptor><transport_id>{name}</transport_id><type>{kind}</type>"
        + (f"<segment_size>{size}</segment_size>" if size is not None else "")
        + "</transport_descriptor>"
        for name, kind, size in transports
    )
    chosen = "".join(f"<transport_id>{name}</transport_id>" for name in used)
    builtin_element = (
        "" if builtin is None else f"<useBuiltinTransports>{builtin}</useBuiltinTransports>".lower()
    )
    builtin_element = builtin_element.replace("usebuiltintransports", "useBuiltinTransports")
    return (
        f"<{root}><profiles><transport_descriptors>{described}</transport_descriptors>"
        f'<participant profile_name="a" is_default_profile="{str(is_default).lower()}"><rtps>'
        f"<userTransports>{chosen}</userTransports>{builtin_element}</rtps></participant>"
        f"</profiles></{root.split()[0]}>"
    )


def segment_or_reason(text: str) -> int | str | None:
    """Read the segment of a text, or say why it is refused."""
    try:
        return read_segment(text)
    except ProfileError as error:
        return str(error)


def test_the_shipped_profile_has_32_mib() -> None:
    assert read_segment((ROOT / "config" / "fastdds.xml").read_text()) == 32 << 20


@given(
    sizes=st.lists(st.none() | st.integers(1, 1 << 40), max_size=4),
    with_udp=st.booleans(),
    builtin=st.none() | st.booleans(),
    root=st.sampled_from(["dds", f'dds xmlns="{SPACE}"', f'dds xmlns="{SPACE.upper()}"']),
)
def test_the_largest_segment_of_the_default_participant_counts(
    sizes: list[int | None], with_udp: bool, builtin: bool | None, root: str
) -> None:
    transports: list[tuple[str, str, int | None]] = [(f"m{n}", "SHM", size) for n, size in enumerate(sizes)]
    transports += [("unused", "SHM", 1 << 50)] + ([("udp", "UDPv4", None)] if with_udp else [])
    used = [name for name, *_ in transports if name != "unused"]
    expected = max((DEFAULT_SEGMENT if size is None else size for size in sizes), default=-1)
    if expected < 0:
        expected = 0 if builtin is False else None  # type: ignore[assignment]
    assert read_segment(profile(transports, used, builtin, root=root)) == expected


def test_a_participant_that_is_not_the_default_does_not_count() -> None:
    assert read_segment(profile([("m", "SHM", 1 << 25)], ["m"], False, is_default=False)) is None


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert "\n" not in str(segment_or_reason(text))


@given(st.data())
def test_a_damaged_profile_is_read_or_refused(data: st.DataObject) -> None:
    text = (ROOT / "config" / "fastdds.xml").read_text()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 40)))
    assert "\n" not in str(segment_or_reason(text[:begin] + data.draw(st.text(max_size=10)) + text[end:]))


@pytest.mark.parametrize("size", ["-1", "1.5", "2 MB", "²", "", "0x10"])
def test_a_segment_size_that_is_no_whole_number_is_refused_and_an_empty_one_is_the_default(size: str) -> None:
    text = profile([("m", "SHM", 7)], ["m"], False).replace(">7<", f">{size}<")
    if size:
        with pytest.raises(ProfileError, match="expected segment_size in bytes"):
            read_segment(text)
    else:
        assert read_segment(text) == DEFAULT_SEGMENT


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    with pytest.raises(ProfileError, match="no DOCTYPE"):
        read_segment(bomb)


@pytest.mark.parametrize(
    ("distribution", "variable"),
    [
        ("humble", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE"),
        (None, "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_the_variable_is_that_of_the_distribution(distribution: str | None, variable: str) -> None:
    environment = {} if distribution is None else {"ROS_DISTRO": distribution}
    shipped = str(ROOT / "config" / "fastdds.xml")
    assert find_transports(environment).segment == DEFAULT_SEGMENT
    assert find_transports({**environment, variable: shipped}).segment == 32 << 20
    other = {"FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"} - {variable}
    assert find_transports({**environment, other.pop(): shipped}).segment == DEFAULT_SEGMENT


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("UDPv4", 0),
        ("DEFAULT", DEFAULT_SEGMENT),
        ("LARGE_DATA?max_msg_size=1MB", DEFAULT_SEGMENT),
        ("P2P", 0),
    ],
)
def test_builtin_transports_may_leave_shared_memory_out(value: str, segment: int) -> None:
    assert find_transports({"FASTDDS_BUILTIN_TRANSPORTS": value}).segment == segment


def test_files_that_are_no_profiles_are_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.xml", tmp_path / "binary.xml"
    large.write_text(" " * (LARGEST_PROFILE + 1))
    binary.write_bytes(b"\xff\xfe\x00")
    for path, reason in (
        (large, "it is no profile"),
        (binary, "cannot be read"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(ProfileError, match=reason):
            find_transports({"FASTDDS_DEFAULT_PROFILES_FILE": str(path)})
