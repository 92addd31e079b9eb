"""The pixel formats that are read: one table of them, and the bytes of image messages as arrays.

Names and meanings are those of ROS `sensor_msgs/image_encodings`. `unpack` converts pixels for the networks,
`opencv_conversion` for programs that show or pass on images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_limits import check_size


@dataclass(frozen=True)
class PixelFormat:
    """How one pixel is stored. A pixel with neither `rgb` nor `bayer` nor `luma` is grey.

    Attributes:
        dtype: Type of one channel.
        channels: Number of channels.
        rgb: The channels that hold red, green and blue.
        bayer: Colours of the Bayer mosaic: the first two pixels of the first row, then of the second row.
        luma: The channel of YUV 4:2:2 that holds Y; the other one holds U and V in turn.
    """

    dtype: np.dtype[Any]
    channels: int = 1
    rgb: tuple[int, int, int] | None = None
    bayer: str | None = None
    luma: int | None = None

    @property
    def bytes_per_pixel(self) -> int:
        return self.channels * self.dtype.itemsize

    @property
    def has_color(self) -> bool:
        return self != PixelFormat(self.dtype)

    @property
    def even_width(self) -> bool:
        """Two pixels beside each other share U and V."""
        return self.luma is not None


_U8, _U16 = np.dtype(np.uint8), np.dtype(np.uint16)

PIXEL_FORMATS: dict[str, PixelFormat] = {
    "mono8": PixelFormat(_U8),
    "8UC1": PixelFormat(_U8),
    "mono16": PixelFormat(_U16),
    "16UC1": PixelFormat(_U16),
    "rgb8": PixelFormat(_U8, 3, rgb=(0, 1, 2)),
    "bgr8": PixelFormat(_U8, 3, rgb=(2, 1, 0)),
    "rgba8": PixelFormat(_U8, 4, rgb=(0, 1, 2)),
    "bgra8": PixelFormat(_U8, 4, rgb=(2, 1, 0)),
    "bayer_rggb8": PixelFormat(_U8, bayer="rggb"),
    "bayer_bggr8": PixelFormat(_U8, bayer="bggr"),
    "bayer_gbrg8": PixelFormat(_U8, bayer="gbrg"),
    "bayer_grbg8": PixelFormat(_U8, bayer="grbg"),
    "yuv422": PixelFormat(_U8, 2, luma=1),
    "uyvy": PixelFormat(_U8, 2, luma=1),
    "yuv422_yuy2": PixelFormat(_U8, 2, luma=0),
    "yuyv": PixelFormat(_U8, 2, luma=0),
}
"""The formats that are read, by their ROS names: a new format of these kinds is a new row."""


def check_layout(encoding: str, height: int, width: int, step: int, length: int) -> PixelFormat:
    """Check that an image header describes its data, without reading a pixel.

    Args:
        encoding: ROS name of the pixel format.
        height: Number of rows.
        width: Number of columns.
        step: Bytes from one row to the next, padding included.
        length: Bytes of data.

    Raises:
        FrameError: The encoding is unknown, the image is empty or has more than MAXIMUM_PIXELS, the step is
            shorter than a row, or the data have another length.
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
        data: `height * step` bytes that support the buffer protocol.
        encoding: ROS name of the pixel format.
        height: Number of rows.
        width: Number of columns.
        step: Bytes from one row to the next, padding included.
        is_bigendian: Byte order of 16-bit pixels; has no meaning for 8-bit pixels.

    Returns:
        (H, W) for one channel, else (H, W, C), uint8 or native uint16. It is a view of `data` (read-only if
        `data` is read-only) unless bytes must be swapped or realigned.

    Raises:
        FrameError: The header does not describe the data, see `check_layout`.
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
    """Check that the image of a frame fits its encoding, as every image from `decode` does.

    Raises:
        FrameError: The encoding is unknown, or the dtype, the number of channels or the width does not fit.
    """
    pixel = _format_of(frame.encoding)
    channels = 1 if frame.image.ndim == 2 else frame.image.shape[-1]
    if frame.image.dtype != pixel.dtype or channels != pixel.channels or frame.image.ndim not in (2, 3):
        raise FrameError(
            f"expected {pixel.dtype} of {pixel.channels} channels for {frame.encoding}, got "
            f"{frame.image.dtype} of shape {frame.image.shape}: name the encoding that the image has"
        )
    _check_width(pixel, frame.encoding, frame.image.shape[1])


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
