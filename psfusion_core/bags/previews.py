"""A video and a contact sheet of the previews of a bag."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import write_image
from psfusion_core.fusion.contact_sheet import stack

ROWS = 6
"""Of a contact sheet."""

CODECS = ("libx264", "mpeg4")
"""H.264 where the FFmpeg of PyAV has it."""

MILLISECONDS = Fraction(1, 1000)


class ContactSheet:
    """Rows of a bag's previews, evenly spread."""

    def __init__(self, path: Path, total: int) -> None:
        """Get ready.

        Args:
            path: of the picture; the suffix says which format.
            total: how many previews will come.
        """
        self._path = path
        self._chosen = {round(number) for number in np.linspace(0, total - 1, ROWS)}
        self._number = 0
        self._rows: list[npt.NDArray[np.uint8]] = []

    def add(self, preview: npt.NDArray[np.uint8], time: int) -> None:
        """Take the next preview, (H, W, 3) uint8 RGB."""
        if self._number in self._chosen:
            self._rows.append(preview)
        self._number += 1

    def close(self) -> None:
        """Write the picture, if there is something to show."""
        if self._rows:
            write_image(self._path, stack(self._rows))


class Video:
    """An MP4 whose pictures come when those of the bag did."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            ImportError: the package av is missing.
            OSError: the file cannot be written.
        """
        try:
            import av
        except ImportError as error:
            raise ImportError(f"{error}: --video needs pip install '.[bag]'") from error
        self._av = av
        codec = next(name for name in CODECS if name in av.codecs_available)
        self._container = av.open(str(path), "w", format="mp4")
        stream: Any = self._container.add_stream(codec, rate=30)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = MILLISECONDS
        self._stream = stream
        self._begin: int | None = None
        self._last = -1

    def add(self, preview: npt.NDArray[np.uint8], time: int) -> None:
        """Show a preview, (H, W, 3) uint8 RGB, at a time, ns; the first one gives the size."""
        if self._begin is None:
            self._begin = time
            self._stream.height, self._stream.width = preview.shape[:2]
        size = self._stream.width, self._stream.height
        if preview.shape[1::-1] != size:
            preview = np.asarray(cv2.resize(preview, size, interpolation=cv2.INTER_AREA), np.uint8)
        frame = self._av.VideoFrame.from_ndarray(preview, format="rgb24")
        self._last = max(self._last + 1, (time - self._begin) // 1_000_000)
        frame.pts, frame.time_base = self._last, MILLISECONDS
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left."""
        if self._begin is not None:
            self._container.mux(self._stream.encode())
        self._container.close()
