"""A camera that sends the same picture again and again: drivers do that when their sensor hangs.

A live camera's noise changes every frame, so equal content for seconds means that nobody is looking. A scene
that is clipped to one value is the exception: a visible camera at night sends black, all of it live.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLES = 2**14
"""About so many bytes are looked at, spread over the image: noise changes thousands of them."""

SAMPLES_PER_SIDE = 128
"""About so many pixels a side are compared to tell whether an image has one value only."""


def fingerprint(data: Any) -> int:
    """Return a number that changes when the content does: a checksum (CRC-32) of a sample and of the length.

    It takes about 0.02 ms, of any length, for only every n-th byte is read. A change of fewer bytes than that
    may go unnoticed; the noise of a camera does not.

    Args:
        data: bytes of a raw image or of a compressed file, anything with the buffer protocol, C-contiguous.
    """
    content = np.frombuffer(data, np.uint8)
    stride = content.size // SAMPLES | 1  # odd: both bytes of 16-bit pixels, all channels of 2 or 4 bytes
    return zlib.crc32(content[::stride].tobytes(), content.size & 0xFFFFFFFF)


def is_uniform(image: npt.NDArray[np.generic]) -> bool:
    """Tell whether all pixels are equal, as in darkness or in glare, by a grid over the image.

    Args:
        image: (H, W) or (H, W, C), as the camera sent it; of a compressed image, the decoded pixels, because
            nothing else tells.
    """
    height, width = image.shape[:2]
    grid = image[:: height // SAMPLES_PER_SIDE + 1, :: width // SAMPLES_PER_SIDE + 1]
    return bool(np.all(grid == grid[0, 0]))


class FreezeDetector:
    """Watches the fingerprints of one camera for a picture that stands still.

    A uniform image is no frozen one, whatever is said here: ask `is_uniform` of the frames that are reported,
    frozen = detector.update(fingerprint(message.data), arrival) and not is_uniform(frame.image).
    """

    def __init__(self, frozen_after_seconds: float) -> None:
        """Start without a picture.

        Args:
            frozen_after_seconds: how long a picture may stand still, >= 0; 0 turns the detector off.

        Raises:
            ValueError: a negative time.
        """
        if not frozen_after_seconds >= 0.0:
            raise ValueError(
                f"expected a time of 0 s or more before a picture counts as frozen, got "
                f"{frozen_after_seconds}: 0 turns the check off"
            )
        self._limit = frozen_after_seconds * 1e9
        self._picture: int | None = None
        self._since = 0

    def update(self, fingerprint: int, arrival_ns: int) -> bool:
        """Take the fingerprint of the next frame; tell whether it has been the same for longer than allowed.

        Args:
            fingerprint: of the frame.
            arrival_ns: when the frame came, ns of a steady clock.
        """
        if fingerprint != self._picture:
            self._picture = fingerprint
            self._since = arrival_ns
        return 0.0 < self._limit < arrival_ns - self._since
