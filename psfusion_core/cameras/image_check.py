"""Checks every image of a camera as it arrives, before it is paired."""

from __future__ import annotations

from psfusion_core.cameras.clock_watch import ClockWatch
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.freeze_detector import FreezeDetector, fingerprint, is_uniform
from psfusion_core.cameras.image_decoding import Message, check_message, stamp_of, to_frame


class ImageCheck:
    """Refuses the images of one camera that are malformed, have no stamp, or repeat for too long.

    Attributes:
        clock: Watches the camera's stamps.
    """

    def __init__(self, frozen_after: float) -> None:
        """Start without an image.

        Args:
            frozen_after: Seconds of the very same image after which the camera counts as frozen; 0 for never.
        """
        self.clock = ClockWatch()
        self._freeze = FreezeDetector(frozen_after)

    def accept(self, message: Message, arrival: int, now: int) -> int:
        """Check the next image and return its stamp, ns.

        Args:
            message: The image, raw or compressed.
            arrival: When the image arrived, ns of a steady clock.
            now: The same moment, ns of the clock that stamps are compared with.

        Raises:
            FrameError: The image cannot be used.
        """
        stamp = stamp_of(message.header)
        self.clock.update(stamp, now)
        check_message(message)
        if stamp == 0:
            raise FrameError("expected a stamp, got zero: set header.stamp in the camera driver")
        is_repeated = self._freeze.update(fingerprint(message.data), arrival)
        if is_repeated and not is_uniform(to_frame(message).image):
            raise FrameError(
                "expected images that change, got the very same one again and again: restart the camera "
                "(for still images set missing.frozen_after to 0)"
            )
        return stamp
