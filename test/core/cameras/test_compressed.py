"""JPEG and PNG: PNG gives every pixel back, JPEG comes close, and what is damaged is turned away."""

from __future__ import annotations

import re
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from psfusion_core.cameras.compressed import BEGINNINGS, PADDING, check_compressed, decode_compressed
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}
ENDS = {"JPEG": b"\xff\xd9", "PNG": bytes(4) + b"IEND\xaeB`\x82"}
ONE_LINE = r"\Aexpected [^\n]+, got [^\n]+\Z"


def compress(codec: str, image: np.ndarray) -> bytes:
    encoded, data = cv2.imencode(SUFFIXES[codec], image)
    assert encoded
    return data.tobytes()


def frame_of(format: str, data: bytes) -> Frame:
    return Frame(0, "camera", *decode_compressed(format, data))


def gradient(height: int = 48, width: int = 64) -> np.ndarray:
    """Make (H, W, 3) uint8 BGR that JPEG hardly changes."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 2, y * 3, 200 - x - y], axis=-1).astype(np.uint8)


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    """Write a PNG file by its standard, ISO/IEC 15948, without a library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_png_of_known_counts_gives_these_counts() -> None:
    rows = struct.pack(">B3HB3H", 0, 0, 1, 256, 0, 7000, 40000, 65535)  # each row begins with its filter

    frame = frame_of("16UC1; png compressed ", png(3, 2, 16, 0, rows))

    assert frame.encoding == "mono16"
    assert to_infrared(frame).dtype == np.uint16
    assert to_infrared(frame).tolist() == [[0, 1, 256], [7000, 40000, 65535]]
    assert to_visible(frame)[1].tolist() == [[27] * 3, [156] * 3, [255] * 3]


@given(
    kind=st.sampled_from([(np.uint8, (), "mono8"), (np.uint16, (), "mono16"), (np.uint8, (3,), "bgr8")]),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    padding=st.integers(0, 50),
    data=st.data(),
)
def test_png_gives_every_pixel_back(
    kind: tuple[type, tuple[int, ...], str], size: tuple[int, int], padding: int, data: st.DataObject
) -> None:
    dtype, channels, encoding = kind
    image = data.draw(arrays(dtype, (*size, *channels)))

    found, pixels = decode_compressed("png", compress("PNG", image) + bytes(padding))

    assert found == encoding
    assert pixels.dtype == dtype
    assert np.array_equal(pixels, image)


@pytest.mark.parametrize(
    "format", ["jpeg", "", "bgr8; jpeg compressed bgr8", "rgb8; jpeg compressed bgr8", "JPG", "png"]
)
def test_a_jpeg_comes_close_in_rgb_whatever_its_format_says(format: str) -> None:
    frame = frame_of(format, compress("JPEG", gradient()))

    assert to_visible(frame).shape == (48, 64, 3)
    assert np.abs(to_visible(frame).astype(int) - gradient()[..., ::-1]).max() <= 12
    luma = gradient() @ [0.114, 0.587, 0.299]
    assert np.abs(to_infrared(frame) - luma).max() <= 8


def test_a_grey_jpeg_is_infrared_of_8_bit() -> None:
    frame = frame_of("mono8; jpeg compressed ", compress("JPEG", gradient()[..., 0]))

    assert frame.encoding == "mono8"
    assert np.abs(to_infrared(frame).astype(int) - gradient()[..., 0]).max() <= 8


@pytest.mark.parametrize("encoding", sorted(name for name in PIXEL_FORMATS if name.startswith("bayer")))
def test_a_compressed_mosaic_has_the_colours_of_the_raw_one(encoding: str) -> None:
    mosaic = np.random.default_rng(0).integers(0, 256, (10, 12), np.uint8)

    frame = frame_of(f"{encoding}; png compressed ", compress("PNG", mosaic))

    assert np.array_equal(to_visible(frame), to_visible(Frame(0, "camera", encoding, mosaic)))


def test_an_orientation_in_the_metadata_does_not_turn_the_image() -> None:
    jpeg = compress("JPEG", gradient())
    turned = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)  # Exif: rotate by 90 degrees
    segment = b"Exif\0\0" + turned
    exif = b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    data = jpeg[:2] + exif + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (64, 48, 3)

    assert decode_compressed("jpeg", data)[1].shape == (48, 64, 3)


@given(codec=st.sampled_from(sorted(SUFFIXES)), data=st.data())
def test_data_that_are_cut_off_anywhere_are_turned_away_before_decoding(
    codec: str, data: st.DataObject
) -> None:
    whole = compress(codec, gradient())
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    check_compressed("", whole)
    with pytest.raises(FrameError, match=ONE_LINE):
        check_compressed("", cut)


@pytest.mark.parametrize("chunk", ["IHDR", "IDAT", "IEND"])
def test_a_png_chunk_that_says_it_is_longer_than_the_data_is_turned_away_before_decoding(chunk: str) -> None:
    data = bytearray(png(1, 1, 8, 0, bytes(2)))
    data[data.index(chunk.encode()) - 4] = 0x7F

    with pytest.raises(FrameError, match="expected a whole PNG file"):
        check_compressed("png", bytes(data))


@given(codec=st.sampled_from(sorted(SUFFIXES)), value=st.integers(0, 255), data=st.data())
def test_a_damaged_byte_gives_an_image_or_a_frame_error(codec: str, value: int, data: st.DataObject) -> None:
    damaged = bytearray(compress(codec, gradient(9, 9)))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = value
    expect_image_or_frame_error(codec.lower(), bytes(damaged))


@given(
    format=st.sampled_from(["jpeg", "mono16; png compressed ", "bayer_rggb8; png", ";", "\n\0", "x" * 1000]),
    codec=st.sampled_from(sorted(SUFFIXES)),
    begin=st.booleans(),
    end=st.booleans(),
    middle=st.binary(max_size=64),
)
def test_any_bytes_give_an_image_or_a_frame_error(
    format: str, codec: str, begin: bool, end: bool, middle: bytes
) -> None:
    expect_image_or_frame_error(format, begin * BEGINNINGS[codec] + middle + end * ENDS[codec])


def expect_image_or_frame_error(format: str, data: bytes) -> None:
    frame, said = None, ""
    try:
        frame = frame_of(format, data)
    except FrameError as error:
        said = str(error)
    if frame is None:
        assert re.match(ONE_LINE, said)
    else:
        assert to_visible(frame).dtype == np.uint8
        assert to_infrared(frame).shape == frame.image.shape[:2]


@pytest.mark.parametrize(
    ("format", "data", "said"),
    [
        ("16UC1; compressedDepth png", bytes(12) + png(1, 1, 16, 0, bytes(3)), "depth data of format '16UC1"),
        ("jpeg", b"", "got 0 bytes of format 'jpeg' that begin with nothing"),
        ("h264", bytes.fromhex("0000000167"), "5 bytes of format 'h264' that begin with 0000000167"),
        ("png", compress("PNG", gradient())[:-1], "expected a whole PNG file, got"),
        ("jpeg", compress("JPEG", gradient())[:-1], "expected a whole JPEG file"),
        ("jpeg", compress("JPEG", gradient()) + bytes(PADDING), "expected a whole JPEG file"),
        ("png", png(2, 2, 8, 0, b"\0"), "bytes of format 'png' (damaged data)"),
        ("png", png(8193, 8192, 8, 0, b""), "at most 67108864 pixels, got 8193 x 8192"),
        ("png", png(60_000, 60_000, 8, 0, b""), "at most 67108864 pixels, got what Pillow takes for a"),
        ("png", png(0, 5, 8, 0, b""), "expected the header of a PNG image, got"),
        ("bgr16; png compressed bgr16", png(1, 1, 16, 2, bytes(7)), "got 3 x uint16"),
        ("bayer_rggb16; png compressed ", png(1, 1, 16, 0, bytes(3)), "got 1 x uint16"),
    ],
    ids=[
        "depth",
        "empty",
        "video",
        "cut PNG",
        "cut JPEG",
        "padded",
        "damaged",
        "large",
        "absurd",
        "no columns",
        "colour 16",
        "mosaic 16",
    ],
)
def test_a_frame_error_names_what_was_expected_and_what_came(format: str, data: bytes, said: str) -> None:
    with pytest.raises(FrameError, match=ONE_LINE) as raised:
        decode_compressed(format, data)
    assert said in str(raised.value)
