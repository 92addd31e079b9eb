"""Converts frames of any encoding to arrays, by OpenCV.

Both this and `unpack` exist because programs that only show, record or pass on images run without PyTorch
(seconds of start, 200 MB), and the networks need tensors on their device. The values are the same; a test
compares them for every encoding.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame

_BAYER = {
    "rggb": cv2.COLOR_BayerBG2RGB,
    "bggr": cv2.COLOR_BayerRG2RGB,
    "gbrg": cv2.COLOR_BayerGR2RGB,
    "grbg": cv2.COLOR_BayerGB2RGB,
}
"""OpenCV names a mosaic by the colours one row and one column further in."""

_YUV = (cv2.COLOR_YUV2RGB_YUY2, cv2.COLOR_YUV2RGB_UYVY)
"""By the channel of the luma."""


def to_visible(frame: Frame) -> npt.NDArray[np.uint8]:
    """Return a frame of any encoding as (H, W, 3) uint8 RGB.

    Grey is repeated over the three channels; of 16 bits, the upper byte is used. An rgb8 image is not copied.
    """
    image, pixel = frame.image, PIXEL_FORMATS[frame.encoding]
    if frame.encoding == "rgb8":
        return image
    converted: Any
    if pixel.rgb is not None:
        converted = cv2.merge([image[..., channel] for channel in pixel.rgb])
    elif pixel.bayer is not None:
        converted = cv2.cvtColor(image, _BAYER[pixel.bayer])
    elif pixel.luma is not None:
        converted = cv2.cvtColor(image, _YUV[pixel.luma])
    else:
        levels = (image >> 8).astype(np.uint8) if image.dtype == np.uint16 else image
        converted = cv2.cvtColor(levels, cv2.COLOR_GRAY2RGB)
    return np.asarray(converted, np.uint8)


def to_infrared(frame: Frame) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Return a frame of any encoding as (H, W) uint8 or uint16 intensities.

    Colour becomes its luma. A grey image is not copied.
    """
    pixel = PIXEL_FORMATS[frame.encoding]
    if not pixel.has_color:
        return frame.image
    if pixel.luma is not None:
        return np.ascontiguousarray(frame.image[..., pixel.luma])
    return np.asarray(cv2.cvtColor(to_visible(frame), cv2.COLOR_RGB2GRAY), np.uint8)
