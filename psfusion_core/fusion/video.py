"""Writes pictures to an MP4 video, with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

CODECS = ("libx264", "mpeg4")
"""H.264 if the FFmpeg of PyAV has an encoder for it."""

MILLISECONDS = Fraction(1, 1000)


def import_av() -> ModuleType:
    """Return the package av.

    Raises:
        ImportError: The package is missing; the message says how to install it.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(f"{error}: a video needs pip install '.[bag]'") from error
    return av


class Video:
    """An MP4 file whose pictures appear at given times."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ImportError: The package av is missing.
            OSError: The file cannot be written.
        """
        self._av: Any = import_av()
        codec = next(name for name in CODECS if name in self._av.codecs_available)
        self._container = self._av.open(str(path), "w", format="mp4")
        self._stream = self._container.add_stream(codec, rate=30)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = MILLISECONDS
        self._begin: int | None = None
        self._shown = -1
        """Time of the latest picture, ms."""
        self._step = 33
        """Time between the latest two pictures, ms."""

    def add(self, picture: npt.NDArray[np.uint8], time: int) -> None:
        """Show a picture from a time on.

        Args:
            picture: (H, W, 3) uint8 RGB, H and W even. The first picture gives the size of the video.
            time: Nanoseconds since any origin; the video begins with its first picture.
        """
        if self._begin is None:
            self._begin = time
            self._stream.height, self._stream.width = picture.shape[:2]
        size = self._stream.width, self._stream.height
        if picture.shape[1::-1] != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        shown = max(self._shown + 1, (time - self._begin + 500_000) // 1_000_000)
        if self._shown >= 0:
            self._step = shown - self._shown
        self._shown = shown
        frame.pts, frame.time_base = shown, MILLISECONDS
        self._encode(frame)

    def close(self) -> None:
        """Write the last pictures and close the file."""
        if self._begin is not None:
            self._encode(None)
        self._container.close()

    def _encode(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._step  # else the last picture is shown for 1 / 30 s
            self._container.mux(packet)
