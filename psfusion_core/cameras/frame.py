"""One image of a camera with its time and coordinate frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt


class FrameError(ValueError):
    """An image cannot be used; the message is one line: expected X, got Y: do Z."""


@dataclass(frozen=True)
class Frame:
    """One image as the camera sent it.

    Attributes:
        stamp: Time of exposure, nanoseconds.
        frame_id: Name of the camera's coordinate frame (REP 103, optical).
        encoding: ROS name of the pixel format (see `psfusion_core.cameras.encodings`).
        image: (H, W) or (H, W, C) uint8 or uint16 in that format; may be a read-only view of a message.
    """

    stamp: int
    frame_id: str
    encoding: str
    image: npt.NDArray[Any]
