"""Sizes are known before anything is decoded, and what is too large is turned away."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from psfusion_core.cameras.encodings import PIXEL_FORMATS, check_layout
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import MAXIMUM_PIXELS, check_size, size_in_header

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
sides = st.integers(-1, 2**32 - 1)


def file_of(format: str, height: int, width: int) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(data, format)
    return data.getvalue()


@given(sides | st.integers(1, 9000), sides | st.integers(1, 9000))
def test_a_size_is_refused_where_it_is_empty_or_over_the_limit(height: int, width: int) -> None:
    if height >= 1 and width >= 1 and height * width <= MAXIMUM_PIXELS:
        check_size(height, width)
    else:
        with pytest.raises(FrameError, match=r"\Aexpected [^\n]+, got [^\n]+\Z"):
            check_size(height, width)


@given(st.sampled_from(sorted(PIXEL_FORMATS)), st.integers(1, 2**20), st.integers(1, 2**20))
def test_no_raw_image_over_the_limit_passes_whatever_its_data(encoding: str, height: int, width: int) -> None:
    step = width * PIXEL_FORMATS[encoding].bytes_per_pixel
    try:
        check_layout(encoding, height, width, step, height * step)
    except FrameError:
        assert height * width > MAXIMUM_PIXELS or (PIXEL_FORMATS[encoding].even_width and width % 2)
    else:
        assert height * width <= MAXIMUM_PIXELS


@pytest.mark.parametrize("format", FORMATS)
def test_the_size_in_the_header_is_height_and_width(format: str) -> None:
    assert size_in_header(file_of(format, 20, 30), FORMATS) == (20, 30)
    assert size_in_header(np.frombuffer(file_of(format, 20, 30), np.uint8), (format,)) == (20, 30)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.sampled_from(FORMATS), st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_header_gives_a_size_within_the_limit_or_a_frame_error(
    format: str, position: int, value: int
) -> None:
    data = bytearray(file_of(format, 20, 30))
    data[position % len(data)] = value
    for damaged in (bytes(data), bytes(data[:position])):
        try:
            height, width = size_in_header(damaged, FORMATS)
        except FrameError:
            continue
        assert 1 <= height * width <= MAXIMUM_PIXELS


def test_a_format_that_is_not_asked_for_is_refused() -> None:
    with pytest.raises(FrameError, match="expected the header of a PNG image, got"):
        size_in_header(file_of("JPEG", 20, 30), ("PNG",))
