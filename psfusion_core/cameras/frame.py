"""What a camera sent: one image with its time and its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt


class FrameError(ValueError):
    """An image that cannot be used; the message is one line: what was expected, what came, what to do."""


@dataclass(frozen=True)
class Frame:
    """One image as its camera sent it.

    Attributes:
        stamp: time of exposure, nanoseconds.
        frame_id: name of the camera's coordinate frame (REP 103, optical).
        encoding: pixel format by its ROS name (see `psfusion_core.cameras.encodings`).
        image: (H, W) or (H, W, C) uint8 or uint16 in that format; may be a read-only view of a message.
    """

    stamp: int
    frame_id: str
    encoding: str
    image: npt.NDArray[Any]
