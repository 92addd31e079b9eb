"""Pixel formats: from the bytes of an image message to the arrays that the fusion takes.

Names and meanings are those of ROS `sensor_msgs/image_encodings`. Bayer names give the first two rows from
the top left pixel: bayer_rggb8 starts R G / G B. OpenCV names the same mosaic by the pixels one row and one
column further in, so rggb is its `BayerBG`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_limits import check_size


@dataclass(frozen=True)
class PixelFormat:
    """Layout of one pixel, and the OpenCV conversions out of it (None: nothing to convert)."""

    dtype: np.dtype[Any]
    channels: int
    to_rgb: int | None
    to_gray: int | None
    even_width: bool = False

    @property
    def bytes_per_pixel(self) -> int:
        return self.channels * self.dtype.itemsize


_U8, _U16 = np.dtype(np.uint8), np.dtype(np.uint16)
_GRAY8 = PixelFormat(_U8, 1, cv2.COLOR_GRAY2RGB, None)
_GRAY16 = PixelFormat(_U16, 1, cv2.COLOR_GRAY2RGB, None)
_UYVY = PixelFormat(_U8, 2, cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2GRAY_UYVY, even_width=True)
_YUYV = PixelFormat(_U8, 2, cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2GRAY_YUY2, even_width=True)

PIXEL_FORMATS: dict[str, PixelFormat] = {
    "mono8": _GRAY8,
    "8UC1": _GRAY8,
    "mono16": _GRAY16,
    "16UC1": _GRAY16,
    "rgb8": PixelFormat(_U8, 3, None, cv2.COLOR_RGB2GRAY),
    "bgr8": PixelFormat(_U8, 3, cv2.COLOR_BGR2RGB, cv2.COLOR_BGR2GRAY),
    "rgba8": PixelFormat(_U8, 4, cv2.COLOR_RGBA2RGB, cv2.COLOR_RGBA2GRAY),
    "bgra8": PixelFormat(_U8, 4, cv2.COLOR_BGRA2RGB, cv2.COLOR_BGRA2GRAY),
    "bayer_rggb8": PixelFormat(_U8, 1, cv2.COLOR_BayerBG2RGB, cv2.COLOR_BayerBG2GRAY),
    "bayer_bggr8": PixelFormat(_U8, 1, cv2.COLOR_BayerRG2RGB, cv2.COLOR_BayerRG2GRAY),
    "bayer_gbrg8": PixelFormat(_U8, 1, cv2.COLOR_BayerGR2RGB, cv2.COLOR_BayerGR2GRAY),
    "bayer_grbg8": PixelFormat(_U8, 1, cv2.COLOR_BayerGB2RGB, cv2.COLOR_BayerGB2GRAY),
    "yuv422": _UYVY,
    "uyvy": _UYVY,
    "yuv422_yuy2": _YUYV,
    "yuyv": _YUYV,
}
"""The formats that are read here, by ROS name."""


def check_layout(encoding: str, height: int, width: int, step: int, length: int) -> PixelFormat:
    """Check that an image header describes its data; costs nothing, touches no pixel.

    Args:
        encoding: ROS name of the pixel format.
        height: rows.
        width: columns.
        step: bytes from one row to the next, padding included.
        length: bytes of data.

    Raises:
        FrameError: an unknown encoding, an empty image or one of more than MAXIMUM_PIXELS, a step shorter
            than a row, or data of another length.
    """
    pixel = _format_of(encoding)
    check_size(height, width)
    _check_width(pixel, encoding, width)
    row = width * pixel.bytes_per_pixel
    if step < row:
        raise FrameError(
            f"expected a step of at least {row} bytes ({width} pixels of {encoding}), got {step}: "
            "set step to the bytes of one row"
        )
    if length != height * step:
        raise FrameError(
            f"expected {height * step} bytes of data ({height} rows of step {step}), got {length}: "
            "check the driver and that the transport loses nothing"
        )
    return pixel


def decode(
    data: Any,
    encoding: str,
    height: int,
    width: int,
    step: int,
    is_bigendian: bool = False,
) -> npt.NDArray[np.generic]:
    """View the bytes of an image message as an array, in the message's own pixel format.

    Args:
        data: `height * step` bytes, anything with the buffer protocol.
        encoding: ROS name of the pixel format.
        height: rows.
        width: columns.
        step: bytes from one row to the next; more than a row where rows are padded.
        is_bigendian: byte order of 16-bit pixels; without meaning for 8-bit ones.

    Returns:
        (H, W) for one channel, else (H, W, C), uint8 or native uint16; a view of `data` (read-only if that
        is) unless bytes must be swapped or realigned.

    Raises:
        FrameError: the header does not describe the data, see `check_layout`.
    """
    pixel = check_layout(encoding, height, width, step, memoryview(data).nbytes)
    dtype = pixel.dtype.newbyteorder(">" if is_bigendian else "<")
    shape = (height, width) if pixel.channels == 1 else (height, width, pixel.channels)
    strides = (step, pixel.bytes_per_pixel, dtype.itemsize)[: len(shape)]
    image: npt.NDArray[np.generic] = np.ndarray(shape, dtype, buffer=data, strides=strides)
    if not dtype.isnative or not image.flags.aligned or step % dtype.itemsize:
        image = image.astype(pixel.dtype)
    return image


def check_frame(frame: Frame) -> None:
    """Check that the image of a frame is one of its encoding; `decode` makes no others.

    Raises:
        FrameError: an unknown encoding, or another dtype, number of channels or an odd width.
    """
    pixel = _format_of(frame.encoding)
    channels = 1 if frame.image.ndim == 2 else frame.image.shape[-1]
    if frame.image.dtype != pixel.dtype or channels != pixel.channels or frame.image.ndim not in (2, 3):
        raise FrameError(
            f"expected {pixel.dtype} of {pixel.channels} channels for {frame.encoding}, got "
            f"{frame.image.dtype} of shape {frame.image.shape}: name the encoding that the image has"
        )
    _check_width(pixel, frame.encoding, frame.image.shape[1])


def to_visible(frame: Frame) -> npt.NDArray[np.uint8]:
    """Return a frame as (H, W, 3) uint8 RGB, whatever it was sent as.

    Grey images are repeated over the three channels, 16-bit ones by their upper byte. An rgb8 frame is
    returned as it is, without a copy.
    """
    pixel = PIXEL_FORMATS[frame.encoding]
    image = (frame.image >> 8).astype(np.uint8) if pixel.dtype == _U16 else frame.image
    return _convert(image, pixel.to_rgb)


def to_infrared(frame: Frame) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return a frame as (H, W) uint8 or uint16 intensities, whatever it was sent as.

    One-channel frames are returned as they are, without a copy; colour ones by their luma.
    """
    return _convert(frame.image, PIXEL_FORMATS[frame.encoding].to_gray)


def _format_of(encoding: str) -> PixelFormat:
    pixel = PIXEL_FORMATS.get(encoding)
    if pixel is None:
        known = ", ".join(PIXEL_FORMATS)
        raise FrameError(
            f"expected one of the encodings {known}, got {encoding!r}: change the camera driver's"
        )
    return pixel


def _check_width(pixel: PixelFormat, encoding: str, width: int) -> None:
    if pixel.even_width and width % 2:
        raise FrameError(f"expected an even width for {encoding}, got {width}: crop a column or send rgb8")


def _convert(image: npt.NDArray[Any], code: int | None) -> npt.NDArray[Any]:
    return image if code is None else cv2.cvtColor(image, code)
