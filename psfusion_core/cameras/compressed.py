"""Decodes compressed images: the bytes of a JPEG or PNG file become pixels of a known format.

The format string is that of ROS `sensor_msgs/CompressedImage`: "ENCODING; CODEC compressed TARGET" from
image_transport, or a plain "jpeg" or "png" from many drivers. The data tell the codec; the string only
tells depth data from images and gives the Bayer pattern of a grey image.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import size_in_header

BEGINNINGS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
"""First bytes of the data: SOI and the next marker (ITU-T T.81, B.1); the signature (ISO/IEC 15948, 5.2)."""

PADDING = 4096
"""Bytes that may follow the end of a JPEG; some USB cameras send such padding."""

_ENCODINGS = {
    (np.dtype(np.uint8), 1): "mono8",
    (np.dtype(np.uint16), 1): "mono16",
    (np.dtype(np.uint8), 3): "bgr8",
    (np.dtype(np.uint8), 4): "bgra8",
}
"""The encoding that OpenCV decodes to, by pixel type and number of channels."""


def check_compressed(format: str, data: Any) -> tuple[int, int]:
    """Check that data are a whole JPEG or PNG file, of an allowed size.

    A truncated file is refused, because older OpenCV decodes half an image from it. Only the header and the
    end are read. That takes 0.04 ms for a JPEG of 100 kB, fast enough for a subscription's callback.

    Args:
        format: `CompressedImage.format`.
        data: The file, as an object that supports the buffer protocol.

    Returns:
        Height and width from the header.

    Raises:
        FrameError: The data are depth data of compressedDepth, neither JPEG nor PNG, or truncated, the header
            is damaged, or the image has more than MAXIMUM_PIXELS.
    """
    if "compresseddepth" in format.lower():
        raise FrameError(
            f"expected a JPEG or PNG image, got depth data of format {format[:60]!r}: "
            "send an image_transport topic that ends in /compressed"
        )
    view = memoryview(data)
    head = bytes(view[:8])
    codec = next((name for name, beginning in BEGINNINGS.items() if head.startswith(beginning)), None)
    if codec is None:
        raise FrameError(
            f"expected JPEG or PNG data, got {view.nbytes} bytes of format {format[:60]!r} that begin with "
            f"{head.hex() or 'nothing'}: set the publisher's format to jpeg or png"
        )
    if not (_jpeg_ends(view) if codec == "JPEG" else _png_ends(view)):
        raise FrameError(
            f"expected a whole {codec} file, got {view.nbytes} bytes without its end: "
            "check the driver and that the transport loses nothing"
        )
    return size_in_header(view, (codec,))


def _jpeg_ends(view: memoryview) -> bool:
    return b"\xff\xd9" in bytes(view[-PADDING:])  # EOI


def _png_ends(view: memoryview) -> bool:
    """Return whether the chunks lead to IEND within the data (ISO/IEC 15948, 5.3).

    OpenCV 5 allocates the length that a chunk states, up to 4 GB, before it finds that the data are shorter.
    """
    position = len(BEGINNINGS["PNG"])
    while position + 12 <= view.nbytes:  # length, type and checksum take 4 bytes each
        kind = bytes(view[position + 4 : position + 8])
        position += 12 + int.from_bytes(view[position : position + 4], "big")
        if kind == b"IEND":
            return position <= view.nbytes
    return False


def decode_compressed(format: str, data: Any) -> tuple[str, npt.NDArray[np.generic]]:
    """Decode a JPEG or PNG file with its stored depth and without rotation by metadata.

    Args:
        format: `CompressedImage.format`.
        data: The file, as an object that supports the buffer protocol.

    Returns:
        The ROS name of the pixel format (see `psfusion_core.cameras.encodings`) and the pixels: (H, W) or
        (H, W, C), uint8 or uint16. Colour is bgr8 or bgra8. image_transport compresses a Bayer mosaic as a
        grey image; it gets the name of its mosaic.

    Raises:
        FrameError: `check_compressed` refuses the file, the data do not decode, or they decode to a format
            that is not in PIXEL_FORMATS.
    """
    check_compressed(format, data)
    image, reason = None, "damaged data"
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:  # usually an absurd size
        reason = one_line(error)
    if image is None:
        raise FrameError(
            f"expected an image that OpenCV decodes, got {memoryview(data).nbytes} bytes of format "
            f"{format[:60]!r} ({reason}): check the driver and that the transport loses nothing"
        )
    source = format.partition(";")[0].strip()
    channels = 1 if image.ndim == 2 else image.shape[2]
    is_mosaic = channels == 1 and source.startswith("bayer_")
    encoding = source if is_mosaic else _ENCODINGS.get((image.dtype, channels), "")
    pixel = PIXEL_FORMATS.get(encoding)
    if pixel is None or pixel.dtype != image.dtype:
        raise FrameError(
            f"expected 8-bit grey, Bayer or colour or 16-bit grey pixels, got {channels} x {image.dtype} of "
            f"format {format[:60]!r}: change the encoding that is compressed"
        )
    return encoding, image
