"""Detects a frozen camera: some drivers repeat the same picture when their sensor hangs.

The noise of a live camera changes every frame, so equal content for seconds means a frozen camera. A scene
that is clipped to one value is the exception: a live visible camera may send nothing but black at night.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLES = 2**14
"""Approximate number of bytes that are read, spread over the image; noise changes thousands of them."""

SAMPLES_PER_SIDE = 128
"""Approximate number of pixels per side that are compared to find whether an image has one value only."""


def fingerprint(data: Any) -> int:
    """Return a number that changes with the content: a checksum (CRC-32) of a sample and of the length.

    It takes about 0.02 ms for any length, because only every n-th byte is read. A change of a few bytes may
    go unnoticed; the noise of a camera does not.

    Args:
        data: A raw image or a compressed file, as a C-contiguous object that supports the buffer protocol.
    """
    content = np.frombuffer(data, np.uint8)
    stride = content.size // SAMPLES | 1  # odd: both bytes of 16-bit pixels, all channels of 2 or 4 bytes
    return zlib.crc32(content[::stride].tobytes(), content.size & 0xFFFFFFFF)


def is_uniform(image: npt.NDArray[np.generic]) -> bool:
    """Return whether all pixels are equal, as in darkness or glare; only a grid of pixels is compared.

    Args:
        image: (H, W) or (H, W, C), as the camera sent it; for a compressed image, the decoded pixels.
    """
    height, width = image.shape[:2]
    grid = image[:: height // SAMPLES_PER_SIDE + 1, :: width // SAMPLES_PER_SIDE + 1]
    return bool(np.all(grid == grid[0, 0]))


class FreezeDetector:
    """Watches the fingerprints of one camera for a picture that repeats.

    A uniform image does not mean a frozen camera, so the caller checks `is_uniform` for reported frames:
    `detector.update(fingerprint(message.data), arrival) and not is_uniform(frame.image)`.
    """

    def __init__(self, frozen_after_seconds: float) -> None:
        """Start without a picture.

        Args:
            frozen_after_seconds: How long a picture may repeat, >= 0; 0 turns the detector off.

        Raises:
            ValueError: The time is negative.
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
        """Add the fingerprint of the next frame; return whether it has repeated for longer than allowed.

        Args:
            fingerprint: Fingerprint of the frame.
            arrival_ns: When the frame arrived, ns of a steady clock.
        """
        if fingerprint != self._picture:
            self._picture = fingerprint
            self._since = arrival_ns
        return 0.0 < self._limit < arrival_ns - self._since
