"""Pixel formats: every byte ends up where ROS says it is, and what does not fit is turned away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from psfusion_core.cameras.encodings import PIXEL_FORMATS, check_layout, decode
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible

RED, GREEN, BLUE = 200, 100, 50
BAYER_CHANNELS = {"r": RED, "g": GREEN, "b": BLUE}


def frame_of(encoding: str, image: np.ndarray) -> Frame:
    """Send an image in the format's own layout through `decode`."""
    height, width = image.shape[:2]
    step = width * PIXEL_FORMATS[encoding].bytes_per_pixel
    return Frame(0, "camera", encoding, decode(image.tobytes(), encoding, height, width, step))


def random_image(encoding: str, height: int, width: int) -> np.ndarray:
    pixel = PIXEL_FORMATS[encoding]
    shape = (height, width) if pixel.channels == 1 else (height, width, pixel.channels)
    return np.random.default_rng(0).integers(0, np.iinfo(pixel.dtype).max + 1, shape, pixel.dtype)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_names_give_the_first_two_rows_from_the_top_left(pattern: str) -> None:
    tile = np.array([BAYER_CHANNELS[letter] for letter in pattern], np.uint8).reshape(2, 2)
    mosaic = np.tile(tile, (8, 9))

    rgb = to_visible(frame_of(f"bayer_{pattern}8", mosaic))

    assert rgb.shape == (16, 18, 3)
    assert np.array_equal(rgb[2:-2, 2:-2], np.broadcast_to([RED, GREEN, BLUE], (12, 14, 3)))


@pytest.mark.parametrize(
    ("encoding", "order"),
    [("yuv422", "UYVY"), ("uyvy", "UYVY"), ("yuv422_yuy2", "YUYV"), ("yuyv", "YUYV")],
)
def test_yuv_422_samples_are_read_in_the_order_of_their_name(encoding: str, order: str) -> None:
    # Red in ITU-R BT.601, 8 bit, studio range: Y 81, Cb 90, Cr 240.
    samples = {"Y": 81, "U": 90, "V": 240}
    image = np.tile(np.array([samples[letter] for letter in order], np.uint8), (4, 3)).reshape(4, 6, 2)
    frame = frame_of(encoding, image)

    assert np.allclose(to_visible(frame), [255, 0, 0], atol=3)
    assert np.array_equal(to_infrared(frame), np.full((4, 6), 81))


@pytest.mark.parametrize(
    ("encoding", "order"), [("rgb8", "rgb"), ("bgr8", "bgr"), ("rgba8", "rgba"), ("bgra8", "bgra")]
)
def test_colour_channels_come_out_as_rgb(encoding: str, order: str) -> None:
    values = {**BAYER_CHANNELS, "a": 7}
    image = np.broadcast_to(np.array([values[letter] for letter in order], np.uint8), (3, 5, len(order)))

    frame = frame_of(encoding, image)

    assert np.array_equal(to_visible(frame), np.broadcast_to([RED, GREEN, BLUE], (3, 5, 3)))
    luma = round(0.299 * RED + 0.587 * GREEN + 0.114 * BLUE)
    assert np.array_equal(to_infrared(frame), np.full((3, 5), luma))


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey_is_the_infrared_itself_and_every_channel_of_the_visible(encoding: str) -> None:
    image = random_image(encoding, 5, 7)
    frame = frame_of(encoding, image)

    assert np.array_equal(to_infrared(frame), image)
    assert np.array_equal(to_visible(frame), np.repeat(image[..., None], 3, axis=2))


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_sixteen_bits_stay_in_the_infrared_and_give_their_upper_byte_to_the_visible(encoding: str) -> None:
    image = random_image(encoding, 5, 7)
    frame = frame_of(encoding, image)

    assert to_infrared(frame).dtype == np.uint16
    assert np.array_equal(to_infrared(frame), image)
    assert np.array_equal(to_visible(frame), np.repeat((image // 256).astype(np.uint8)[..., None], 3, axis=2))


@given(
    encoding=st.sampled_from(sorted(PIXEL_FORMATS)),
    height=st.integers(1, 9),
    half_width=st.integers(1, 5),
    padding=st.integers(0, 9),
    big_endian=st.booleans(),
    data=st.data(),
)
def test_padding_and_byte_order_do_not_change_the_pixels(
    encoding: str, height: int, half_width: int, padding: int, big_endian: bool, data: st.DataObject
) -> None:
    pixel = PIXEL_FORMATS[encoding]
    width = 2 * half_width
    shape = (height, width) if pixel.channels == 1 else (height, width, pixel.channels)
    image = data.draw(arrays(pixel.dtype, shape))
    sent = image.astype(pixel.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.frombuffer(sent.tobytes(), np.uint8).reshape(height, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)

    received = decode(padded.tobytes(), encoding, height, width, padded.shape[1], big_endian)

    assert received.dtype == pixel.dtype
    assert received.dtype.isnative
    assert np.array_equal(received, image)
    tight = Frame(0, "", encoding, image)
    assert np.array_equal(to_visible(Frame(0, "", encoding, received)), to_visible(tight))
    assert np.array_equal(to_infrared(Frame(0, "", encoding, received)), to_infrared(tight))


@pytest.mark.parametrize("encoding", sorted(PIXEL_FORMATS))
def test_every_format_gives_both_kinds_of_image(encoding: str) -> None:
    frame = frame_of(encoding, random_image(encoding, 33, 34))

    assert to_visible(frame).shape == (33, 34, 3)
    assert to_visible(frame).dtype == np.uint8
    assert to_infrared(frame).shape == (33, 34)
    assert to_infrared(frame).dtype == PIXEL_FORMATS[encoding].dtype


@pytest.mark.parametrize(("encoding", "convert"), [("rgb8", to_visible), ("mono8", to_infrared)])
def test_the_usual_formats_are_views_of_the_message(encoding: str, convert: object) -> None:
    data = np.arange(4 * 6 * PIXEL_FORMATS[encoding].channels, dtype=np.uint8)
    step = 6 * PIXEL_FORMATS[encoding].bytes_per_pixel

    image = convert(Frame(0, "", encoding, decode(data, encoding, 4, 6, step)))  # type: ignore[operator]

    assert np.shares_memory(image, data)


@given(
    encoding=st.sampled_from([*sorted(PIXEL_FORMATS), "", "rgb16", "32FC1", "jpeg", "RGB8"]),
    height=st.one_of(st.integers(0, 6), st.integers(0, 2**32 - 1)),
    width=st.one_of(st.integers(0, 6), st.integers(0, 2**32 - 1)),
    step=st.one_of(st.integers(0, 30), st.integers(0, 2**32 - 1)),
    length=st.integers(0, 200),
)
def test_a_header_that_does_not_describe_its_data_is_a_frame_error(
    encoding: str, height: int, width: int, step: int, length: int
) -> None:
    pixel = PIXEL_FORMATS.get(encoding)
    fits = (
        pixel is not None
        and height > 0
        and width > 0
        and not (pixel.even_width and width % 2)
        and step >= width * pixel.bytes_per_pixel
        and length == height * step
    )
    data = bytes(length)
    if fits:
        assert decode(data, encoding, height, width, step).shape[:2] == (height, width)
    else:
        with pytest.raises(FrameError) as raised:
            decode(data, encoding, height, width, step)
        assert "expected" in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rgb8", 4, 6, 18, 71), "expected 72 bytes of data (4 rows of step 18), got 71"),
        (("rgb8", 4, 6, 18, 73), "got 73"),
        (("rgb8", 4, 6, 17, 68), "expected a step of at least 18 bytes (6 pixels of rgb8), got 17"),
        (("mono16", 4, 6, 11, 44), "expected a step of at least 12 bytes"),
        (("mono8", 0, 6, 6, 0), "got 6 x 0"),
        (("yuv422", 4, 5, 10, 40), "expected an even width for yuv422, got 5"),
        (("nv12", 4, 6, 6, 24), "got 'nv12'"),
    ],
)
def test_a_frame_error_names_what_was_expected_and_what_came(
    arguments: tuple[object, ...], said: str
) -> None:
    with pytest.raises(FrameError) as raised:
        check_layout(*arguments)  # type: ignore[arg-type]
    assert said in str(raised.value)
