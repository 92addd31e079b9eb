"""Between sensor_msgs/Image or CompressedImage and the arrays that the fusion takes and gives.

cv_bridge is asked only about encodings that `psfusion_core.cameras.encodings` does not read: it copies, and
its compiled half does not load beside NumPy 2 on current distributions.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Any, Literal, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from psfusion_core.base.wording import one_line
from psfusion_core.cameras import image_decoding
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_decoding import Fallback, stamp_of
from psfusion_core.cameras.image_limits import check_size

AnyImage: TypeAlias = Image | CompressedImage

_CHANNELS = {"mono8": (), "rgb8": (3,)}


def check(message: AnyImage) -> None:
    """Check that an image may be decoded, without a look at its pixels: costs nothing.

    Raises:
        FrameError: it cannot.
    """
    if _needs_cv_bridge(message):
        check_size(message.height, message.width)
    else:
        image_decoding.check(message)


def to_frame(message: AnyImage, fallback: Fallback) -> Frame:
    """Decode a message; of a raw one the frame is a view, without a copy, where its bytes allow.

    Args:
        message: the image, raw or compressed.
        fallback: what cv_bridge is asked for where a raw image's encoding is none of ours.

    Raises:
        FrameError: the header does not describe the data, nobody knows the encoding, or it does not decode.
    """
    if not _needs_cv_bridge(message):
        return image_decoding.to_frame(message)
    image = _through_cv_bridge(message, fallback)
    return Frame(stamp_of(message.header), message.header.frame_id, fallback, image)


def to_message(image: npt.NDArray[np.uint8], encoding: Literal["rgb8", "mono8"], header: Header) -> Image:
    """Make a message of an image.

    Args:
        image: (H, W, 3) uint8 for rgb8, (H, W) uint8 for mono8.
        encoding: which of the two.
        header: stamp and frame_id, taken over as it is.

    Raises:
        ValueError: the array is not what the encoding says.
    """
    if image.dtype != np.uint8 or image.shape[2:] != _CHANNELS[encoding] or image.ndim < 2:
        raise ValueError(f"expected a uint8 {encoding} image, got {image.dtype} of shape {image.shape}")
    message = Image(header=header, encoding=encoding, height=image.shape[0], width=image.shape[1])
    message.step = image.shape[1] * (3 if encoding == "rgb8" else 1)
    # An array.array is taken over as it is; bytes or a NumPy array would be checked item by item.
    data = array("B")
    data.frombytes(np.ascontiguousarray(image).data)
    message.data = data
    return message


def _needs_cv_bridge(message: AnyImage) -> TypeGuard[Image]:
    """Tell whether only cv_bridge, which is there, may know the encoding of an image."""
    return (
        not image_decoding.is_compressed(message)
        and message.encoding not in PIXEL_FORMATS
        and _cv_bridge() is not None
    )


@cache
def _cv_bridge() -> Any | None:
    """Return a CvBridge, or None where cv_bridge is not installed or does not load."""
    try:
        from cv_bridge import CvBridge

        return CvBridge()
    except (ImportError, AttributeError, SystemError, RuntimeError):  # not there, or built for another NumPy
        return None


def _through_cv_bridge(message: Image, encoding: str) -> npt.NDArray[np.uint8]:
    bridge = _cv_bridge()
    assert bridge is not None
    try:
        image = np.asarray(bridge.imgmsg_to_cv2(message, encoding))
    except Exception as error:  # CvBridgeError, or whatever its OpenCV raises on malformed data
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
