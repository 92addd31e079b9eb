"""Converts incoming image messages to known encodings, and pictures to outgoing image messages.

`psfusion_core.cameras.image_decoding` decodes messages. cv_bridge is used only for encodings that it does not
know. cv_bridge copies every image, and its compiled part does not load with NumPy 2 on current distributions.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import check_size
from psfusion_core.cameras.stamped import Camera

AnyImage: TypeAlias = Image | CompressedImage
Encoding: TypeAlias = Literal["rgb8", "mono8"]

_CHANNELS: dict[Encoding, tuple[int, ...]] = {"mono8": (), "rgb8": (3,)}


def with_known_encoding(message: AnyImage, camera: Camera) -> AnyImage:
    """Return a message that `psfusion_core.cameras.image_decoding` decodes.

    Args:
        message: The image, raw or compressed.
        camera: The camera that sent it.

    Returns:
        The message itself if its encoding is known or cv_bridge is not installed. Otherwise a message that
        cv_bridge has converted to rgb8 (visible camera) or mono8 (infrared camera).

    Raises:
        FrameError: cv_bridge cannot convert the image.
    """
    if isinstance(message, CompressedImage) or message.encoding in PIXEL_FORMATS or _cv_bridge() is None:
        return message
    check_size(message.height, message.width)
    encoding: Encoding = "rgb8" if camera == "visible" else "mono8"
    return to_message(_through_cv_bridge(message, encoding), encoding, message.header)


def to_message(image: npt.NDArray[np.uint8], encoding: Encoding, header: Header) -> Image:
    """Convert an image to a message.

    Args:
        image: (H, W, 3) uint8 for rgb8, (H, W) uint8 for mono8.
        encoding: One of these two.
        header: The header of the message, used unchanged.

    Raises:
        ValueError: The array does not fit the encoding.
    """
    if image.dtype != np.uint8 or image.shape[2:] != _CHANNELS[encoding] or image.ndim < 2:
        raise ValueError(f"expected a uint8 {encoding} image, got {image.dtype} of shape {image.shape}")
    message = Image(header=header, encoding=encoding, height=image.shape[0], width=image.shape[1])
    message.step = image.shape[1] * (3 if encoding == "rgb8" else 1)
    # The message uses an array.array unchanged; it would check bytes or a NumPy array item by item.
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).data)
    message.data = data
    return message


@cache
def _cv_bridge() -> Any | None:
    """Return a CvBridge, or None if cv_bridge is not installed or does not load."""
    try:
        from cv_bridge import CvBridge

        return CvBridge()
    except (ImportError, AttributeError, SystemError, RuntimeError):  # missing, or built for another NumPy
        return None


def _through_cv_bridge(message: Image, encoding: Encoding) -> npt.NDArray[np.uint8]:
    bridge = _cv_bridge()
    assert bridge is not None
    try:
        image = np.asarray(bridge.imgmsg_to_cv2(message, encoding))
    except Exception as error:  # CvBridgeError, or an error of OpenCV about malformed data
        reason = one_line(error)
        raise FrameError(
            f"expected an image that cv_bridge converts to {encoding}, got {message.encoding!r} "
            f"({reason}): change the camera driver's encoding"
        ) from error
    if image.dtype != np.uint8 or image.shape != (message.height, message.width, *_CHANNELS[encoding]):
        raise FrameError(
            f"expected {encoding} of {message.width} x {message.height} from cv_bridge, got {image.dtype} "
            f"of shape {image.shape}: change the camera driver's encoding"
        )
    return image
