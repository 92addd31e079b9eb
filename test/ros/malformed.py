"""Hypothesis strategies for image messages that are wrong in every way that the middleware delivers."""

from __future__ import annotations

from array import array

import numpy as np
from hypothesis import strategies as st
from sensor_msgs.msg import Image

from psfusion_core.cameras.encodings import PIXEL_FORMATS

SIZES = st.one_of(st.integers(0, 70), st.sampled_from([2**31 - 1, 2**31, 2**32 - 1, 65_536, 8_193]))
STEPS = st.one_of(st.integers(0, 300), st.sampled_from([2**31, 2**32 - 1]))
UNKNOWN = ["64FC4", "", "mono8 ", "RGB8", "bayer_rggb16"]
ENCODINGS = st.one_of(st.sampled_from([*PIXEL_FORMATS, *UNKNOWN]), st.text(max_size=8))


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Draw an image message; by chance a right one now and then."""
    message = Image(
        height=draw(SIZES),
        width=draw(SIZES),
        encoding=draw(ENCODINGS).replace("\0", ""),
        step=draw(STEPS),
        is_bigendian=draw(st.integers(0, 255)),
    )
    message.header.stamp.sec = draw(st.integers(-(2**31), 2**31 - 1))
    message.header.stamp.nanosec = draw(st.one_of(st.integers(0, 10**9 - 1), st.just(2**32 - 1)))
    message.header.frame_id = draw(st.text("ab/", max_size=4))
    right = message.height * message.step
    length = draw(st.one_of(st.integers(0, 4096), st.just(min(right, 100_000))))
    message.data = array("B", np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes())
    return message
