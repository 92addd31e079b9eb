"""Encodes image messages as JPEG files for a browser."""

from __future__ import annotations

import cv2
from sensor_msgs.msg import CompressedImage

from psfusion_core.cameras.compressed import BEGINNINGS
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_decoding import check_message, to_frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_ros.image_messages import AnyImage, with_known_encoding

QUALITY = 85
"""JPEG quality, in [0, 100]."""


def to_jpeg(message: AnyImage, is_infrared: bool) -> bytes:
    """Return an image as a JPEG file: a JPEG unchanged, 16-bit infrared stretched to grey levels.

    Raises:
        FrameError: The image does not decode, or is too wide or high for a JPEG file.
    """
    if isinstance(message, CompressedImage) and bytes(message.data[:3]) == BEGINNINGS["JPEG"]:
        check_message(message)
        return bytes(message.data)
    frame = to_frame(with_known_encoding(message, "infrared" if is_infrared else "visible"))
    # OpenCV expects BGR, and copies a view with reversed channels automatically.
    image = stretch(to_infrared(frame)) if is_infrared else to_visible(frame)[..., ::-1]
    fits, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not fits:
        height, width = image.shape[:2]
        raise FrameError(
            f"expected an image that a JPEG file can hold, got {width} x {height}: send it smaller"
        )
    return data.tobytes()
