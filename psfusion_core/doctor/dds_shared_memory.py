"""Checks the shared memory through which Fast DDS passes images between processes of one machine."""

from __future__ import annotations

import fcntl
import importlib
import os
import shlex
import shutil
from pathlib import Path

from psfusion_core.doctor.check import FAST_DDS, Finding, Subject, in_words
from psfusion_core.doctor.fastdds_profile import (
    NEW_VARIABLE,
    OLD_VARIABLE,
    ProfileError,
    find_transports,
    variable,
)

FOLDER = Path("/dev/shm")
PREFIXES = ("fastrtps_", "fastdds_")
"""Prefixes of the segments of Fast DDS 2 and 3. The file NAME_el is locked while the owner of NAME lives."""

PROFILE = "config/fastdds.xml"
FILES = "psfusion_ros.loopback.environment"
"""Module that finds the files of the node's package. It needs no ROS."""

FRAMES = 5
"""Number of frames that a segment should hold: the depth of the node's queue."""

PROCESSES = 4
"""Processes of a small system: two cameras, the node, and a viewer."""


def check_segment(subject: Subject) -> Finding:
    """Check that a frame fits the segment of a process that is started in this environment."""
    if not subject.middleware.startswith(FAST_DDS):
        return Finding("skipped", f"{subject.middleware} has no such segment")
    name = variable(subject.environment)
    other = OLD_VARIABLE if name == NEW_VARIABLE else NEW_VARIABLE
    fix = f"export {name}={shipped_profile(subject)}, for the camera drivers too"
    try:
        transports = find_transports(subject.environment)
    except ProfileError as error:
        return Finding("error", f"{name}: {error}", fix)
    segment, frame = transports.segment, subject.frame_bytes
    sizes = f"a frame has {in_words(frame)} ({subject.frame_origin}), "
    sizes += f"the segment {in_words(segment)} ({transports.source})"
    if other in subject.environment and name not in subject.environment:
        sizes += f"; {other} is set, which this Fast DDS does not read"
    if segment == 0:
        return Finding("warning", f"images go through UDP, not shared memory ({transports.source})", fix)
    if segment < frame:
        # An assumed size may be wrong, so it is only a warning.
        status = "warning" if subject.frame_origin == "assumed" else "error"
        return Finding(status, f"{sizes}: best-effort frames get lost", fix)  # type: ignore[arg-type]
    if segment < FRAMES * frame:
        return Finding("warning", f"{sizes}: there is room for {segment // frame}, not for {FRAMES}", fix)
    return Finding("ok", sizes)


def shipped_profile(subject: Subject) -> str:
    """Return the path of the shipped profile as shell text. ROS from Python wheels has no `ros2` command."""
    if shutil.which("ros2", path=subject.environment.get("PATH")):
        return f"$(ros2 pkg prefix psfusion_ros)/share/psfusion_ros/{PROFILE}"
    try:
        return shlex.quote(str(importlib.import_module(FILES).share_path(PROFILE)))
    except (ImportError, FileNotFoundError):
        return PROFILE


def check_space(subject: Subject) -> Finding:
    """Check that the segments of a few processes fit the free shared memory."""
    if not FOLDER.is_dir():
        return Finding("skipped", f"there is no {FOLDER} here")
    usage = shutil.disk_usage(FOLDER)
    try:
        segment = find_transports(subject.environment).segment
    except ProfileError:
        return Finding("skipped", "the profile above must be fixed first")
    found = f"{in_words(usage.free)} of {in_words(usage.total)} free in {FOLDER}"
    needed = PROCESSES * segment
    if subject.middleware.startswith(FAST_DDS) and usage.free < needed:
        return Finding(
            "error" if usage.free < segment else "warning",
            f"{found}: {PROCESSES} processes need {in_words(needed)}",
            "give the container more (docker run --shm-size=1g, or --ipc=host), or lower segment_size",
        )
    return Finding("ok", found)


def check_stale_segments(_: Subject) -> Finding:
    """Look for segments of ended processes, which take memory until they are removed."""
    if not FOLDER.is_dir():
        return Finding("skipped", f"there is no {FOLDER} here")
    stale = stale_segments(FOLDER)
    if not stale:
        return Finding("ok", "none of Fast DDS's segments is left over")
    size = sum(path.stat().st_size for path in stale if path.exists())
    return Finding(
        "warning",
        f"{len(stale)} segments of ended processes take {in_words(size)} of {FOLDER}",
        "fastdds shm clean (it comes with Fast DDS)",
    )


def stale_segments(folder: Path) -> list[Path]:
    """Return the segments whose owner ended without removing them."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name.startswith(PREFIXES) and _is_abandoned(path.with_name(f"{path.name}_el"))
    ]


def _is_abandoned(lock: Path) -> bool:
    """Return whether no process holds the lock of a segment; Fast DDS itself checks it this way."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:  # the segment has no lock, or it belongs to another user
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
