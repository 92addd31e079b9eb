"""Which images of a camera can be used at all: asked of each one as it comes, before it is paired."""

from __future__ import annotations

from collections.abc import Callable

from psfusion_core.cameras import image_decoding
from psfusion_core.cameras.clock_watch import ClockWatch
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.freeze_detector import FreezeDetector, fingerprint, is_uniform
from psfusion_core.cameras.image_decoding import Fallback, Message


class ImageCheck:
    """Turns away the images of one camera that are malformed, were never stamped, or stand still.

    Attributes:
        clock: what the camera's stamps look like.
    """

    def __init__(
        self,
        frozen_after: float,
        check: Callable[[Message], None] = image_decoding.check,
        to_frame: Callable[[Message, Fallback], Frame] = image_decoding.to_frame,
    ) -> None:
        """Start without an image.

        Args:
            frozen_after: seconds of the very same image until the camera counts as frozen; 0: never.
            check: raises FrameError where an image cannot be decoded.
            to_frame: decodes one.
        """
        self.clock = ClockWatch()
        self._freeze = FreezeDetector(frozen_after)
        self._check = check
        self._to_frame = to_frame

    def __call__(self, message: Message, arrival: int, now: int) -> int:
        """Take the next image and return its stamp, ns.

        Args:
            message: the image.
            arrival: when it came, ns of a steady clock.
            now: the same by the clock that stamps are compared with, ns.

        Raises:
            FrameError: it cannot be used.
        """
        stamp = image_decoding.stamp_of(message.header)
        self.clock.update(stamp, now)
        self._check(message)
        if stamp == 0:
            raise FrameError("expected a stamp, got zero: set header.stamp in the camera driver")
        is_repeated = self._freeze.update(fingerprint(message.data), arrival)
        if is_repeated and not is_uniform(self._to_frame(message, "rgb8").image):
            raise FrameError(
                "expected images that change, got the very same one again and again: restart the camera "
                "(for still images set missing.frozen_after to 0)"
            )
        return stamp
