"""Checks the kernel's limits on socket buffers, which apply to all images that travel over UDP."""

from __future__ import annotations

from pathlib import Path

from psfusion_core.doctor.check import FAST_DDS, Finding, Subject, in_words

LIMITS = Path("/proc/sys/net/core")
NEEDED = 2 << 20
"""Bytes of the socket buffers that config/fastdds.xml requests: two 640 x 480 rgb8 images."""


def check_socket_buffers(subject: Subject) -> Finding:
    """Check that an image fits the socket buffers that the kernel allows."""
    try:
        limits = {name: int((LIMITS / name).read_text()) for name in ("rmem_max", "wmem_max")}
    except (OSError, ValueError):
        return Finding("skipped", f"{LIMITS} cannot be read here")
    needed = max(NEEDED, 2 * subject.frame_bytes)
    found = ", ".join(f"net.core.{name} {in_words(value)}" for name, value in limits.items())
    small = [name for name, value in limits.items() if value < needed]
    if not small:
        return Finding("ok", found)
    who = "between machines" if subject.middleware.startswith(FAST_DDS) else "with this middleware"
    commands = "; ".join(f"sudo sysctl -w net.core.{name}={needed}" for name in small)
    return Finding("warning", f"{found}: images {who} need {in_words(needed)}", commands)
