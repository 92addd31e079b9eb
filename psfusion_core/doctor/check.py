"""The argument and the result of a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from psfusion_core.base.wording import typed_line

Status = Literal["ok", "warning", "error", "skipped"]
Origin = Literal["assumed", "asked", "seen"]

FAST_DDS = "rmw_fastrtps"
"""Prefix of the RMW names of Fast DDS, which is the default of Humble, Jazzy and Kilted."""


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        status: ok, warning (works, perhaps not as expected), error (does not work), skipped (not checked).
        message: One line that says what was found, or why the check was skipped.
        fix: What to do about it; empty if there is nothing to do.
    """

    status: Status
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Subject:
    """The system to check: the options of the command, and the environment of ROS processes.

    Attributes:
        environment: The environment variables by name.
        visible, infrared: The topics of the cameras' raw images.
        namespace: The namespace of the node, to which relative topics belong.
        seconds: How long to listen to the topics; 0 does not listen.
        qos: The value of the node's parameter `qos.input`.
        model, weights: The network and the weights that the node would load.
        frame_bytes: Size of the largest image message of the cameras and the node.
        frame_origin: How that size is known: from received images, from `--size`, or by assumption.
    """

    environment: Mapping[str, str]
    visible: str = "visible/image"
    infrared: str = "infrared/image"
    namespace: str = "/"
    seconds: float = 5.0
    qos: str = "sensor_data"
    model: str = "psfusion_lite"
    weights: str = "default"
    frame_bytes: int = 480 * 640 * 3
    frame_origin: Origin = "assumed"

    @property
    def middleware(self) -> str:
        """The RMW that ROS processes use in this environment."""
        return self.environment.get("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp"


Check: TypeAlias = Callable[[Subject], Finding]


def run_check(check: Check, subject: Subject) -> Finding:
    """Run a check. An exception becomes a finding with status error."""
    try:
        return check(subject)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Finding:
    """Return the finding of a check that raised an exception."""
    return Finding("error", f"this could not be checked: {typed_line(error)}")


def in_words(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
