"""What a check is given and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from psfusion_core.base.wording import typed_line

Status = Literal["ok", "warning", "error", "skipped"]
Origin = Literal["assumed", "asked", "seen"]

FAST_DDS = "rmw_fastrtps"
"""How the names of Fast DDS's middleware begin; it is the default of Humble, Jazzy and Kilted."""


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        status: ok, warning (it works, perhaps not as expected), error (it does not), skipped (not checked).
        message: what was found, one line; of a skipped check, why.
        fix: what to do about it; empty where there is nothing to do.
    """

    status: Status
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Subject:
    """What is examined: the options of the command, and the environment that ROS processes would have.

    Attributes:
        environment: variables by name.
        visible, infrared: topics of the cameras' raw images.
        namespace: of the node, which relative topics follow.
        seconds: how long to listen to them; 0: not at all.
        qos: how the node would subscribe, one of its `qos.input`.
        model, weights: what the node would load.
        frame_bytes: of the largest image message, of the cameras or of the node.
        frame_origin: where that comes from: images that came, `--size`, or neither.
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
        """The middleware that ROS processes of this environment use."""
        return self.environment.get("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp"


Check: TypeAlias = Callable[[Subject], Finding]


def run_check(check: Check, subject: Subject) -> Finding:
    """Run a check; whatever it raises becomes an error."""
    try:
        return check(subject)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Finding:
    """Return that an exception kept something from being checked."""
    return Finding("error", f"this could not be checked: {typed_line(error)}")


def in_words(size: float) -> str:
    """Return a number of bytes as text."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
