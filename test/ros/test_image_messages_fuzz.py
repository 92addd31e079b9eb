"""Thousands of odd and malformed image messages: right pixels or a FrameError, and bounded memory."""

from __future__ import annotations

import multiprocessing
import re
import resource
import struct
import zlib
from array import array
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from psfusion_core.cameras.compressed import BEGINNINGS, check_compressed
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_decoding import check_message, to_frame
from psfusion_core.cameras.image_limits import MAXIMUM_PIXELS
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_ros import image_messages

CASES = 3000
many = settings(
    max_examples=CASES,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

MEGABYTE = 2**20
LIMIT = 12 * MAXIMUM_PIXELS // MEGABYTE
"""Megabytes for the largest image that may be decoded, and for what is made of it here."""


def decoded(message: Image | CompressedImage) -> Frame | None:
    """Return the frame of a message with all that is made of it, or None if it is refused."""
    said = ""
    try:
        message = image_messages.with_known_encoding(message, "visible")
        check_message(message)
        frame = to_frame(message)
        visible, infrared = to_visible(frame), to_infrared(frame)
    except FrameError as error:
        said = str(error)
    if said:
        assert re.match(r"\Aexpected [^\n]+, got [^\n]+\Z", said)
        return None
    assert visible.shape == (*frame.image.shape[:2], 3)
    assert visible.dtype == np.uint8
    assert infrared.shape == frame.image.shape[:2]
    assert infrared.dtype in (np.uint8, np.uint16)
    return frame


numbers = st.integers(0, 8) | st.sampled_from([31, 2**13 + 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1])


@st.composite
def raw_images(draw: st.DrawFn) -> tuple[Image, bool]:
    """Draw a raw image, and tell whether its header describes its data."""
    encoding = draw(st.sampled_from(sorted(PIXEL_FORMATS)) | st.sampled_from(["", "32FC1", "RGB8", "mono8 "]))
    pixel = PIXEL_FORMATS.get(encoding, PIXEL_FORMATS["mono8"])
    height, width = draw(numbers), draw(numbers)
    step = width * pixel.bytes_per_pixel + draw(st.sampled_from([0, 0, 1, 7, -1]))
    step = draw(numbers) if draw(st.integers(0, 9)) == 0 else min(max(step, 0), 2**32 - 1)
    length = height * step + draw(st.sampled_from([0, 0, 0, 1, -1]))
    length = length if 0 <= length <= 4096 else draw(st.integers(0, 64))
    fits = (
        encoding in PIXEL_FORMATS
        and min(height, width) >= 1
        and not (pixel.even_width and width % 2)
        and step >= width * pixel.bytes_per_pixel
        and length == height * step
    )
    message = Image(encoding=encoding, height=height, width=width, step=step)
    message.is_bigendian = draw(st.sampled_from([0, 1, 255]))
    message.data = array("B", np.random.default_rng(length).bytes(length))
    return message, fits


@many
@given(raw_images())
def test_a_raw_image_is_its_own_bytes_or_turned_away(case: tuple[Image, bool]) -> None:
    message, fits = case
    frame = decoded(message)

    assert (frame is not None) == fits
    if frame is not None:
        pixel = PIXEL_FORMATS[message.encoding]
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        sent = np.ascontiguousarray(rows[:, : message.width * pixel.bytes_per_pixel])
        sent = sent.view(pixel.dtype.newbyteorder(">" if message.is_bigendian else "<"))
        assert np.array_equal(frame.image.reshape(message.height, -1), sent)


def picture(dtype: type, channels: int) -> np.ndarray:
    y, x = np.mgrid[:24, :32]
    planes = [x * 5 + y * 3 + 10 * channel for channel in range(channels)]
    image = (np.dstack(planes) * (np.iinfo(dtype).max // 255)).astype(dtype)
    return image if channels > 1 else image[..., 0]


REAL = {
    "grey.png": picture(np.uint8, 1),
    "counts.png": picture(np.uint16, 1),
    "colour.png": picture(np.uint8, 3),
    "alpha.png": picture(np.uint8, 4),
    "colour16.png": picture(np.uint16, 3),
    "grey.jpg": picture(np.uint8, 1),
    "colour.jpg": picture(np.uint8, 3),
}
FILES = {name: cv2.imencode(name[-4:], image)[1].tobytes() for name, image in REAL.items()}


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return BEGINNINGS["PNG"] + content


def jpeg_of(width: int, height: int) -> bytes:
    """Return a real file whose frame header (ITU-T T.81, B.2.2) says another size."""
    data = bytearray(FILES["colour.jpg"])
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """Draw a real file with bits flipped, cut, with bytes put in or appended, or two of these."""
    data = bytearray(draw(st.sampled_from(sorted(FILES.values()))))
    for _ in range(draw(st.integers(1, 2))):
        position = draw(st.integers(0, len(data)))
        damage = draw(st.sampled_from(["flip", "flip", "cut", "insert", "remove", "append"]))
        if damage == "flip":
            for place in draw(st.lists(st.integers(0, max(8 * len(data) - 1, 0)), max_size=8)):
                data[place // 8 : place // 8 + 1] = bytes([data[place // 8] ^ 1 << place % 8] if data else [])
        elif damage == "cut":
            del data[position:]
        elif damage == "insert":
            data[position:position] = draw(st.binary(max_size=20))
        elif damage == "remove":
            del data[position : position + draw(st.integers(1, 20))]
        else:
            data += draw(st.binary(max_size=20))
    return bytes(data)


behind_a_signature = st.builds(
    lambda codec, middle, end: BEGINNINGS[codec] + middle + end,
    st.sampled_from(sorted(BEGINNINGS)),
    st.binary(max_size=100),
    st.sampled_from([b"", b"\xff\xd9", chunk(b"IEND", b"")]),
)
odd_pngs = st.builds(
    png_of, numbers, numbers, st.sampled_from([1, 2, 8, 16, 3]), st.integers(0, 7), st.binary(max_size=60)
)
formats = st.sampled_from(
    [
        "jpeg",
        "png",
        "",
        "bgr8; jpeg compressed bgr8",
        "mono16; png compressed ",
        "bayer_rggb8; png compressed ",
    ]
) | st.text(max_size=8).map(lambda text: text.replace("\0", ""))


@many
@given(formats, damaged_files() | behind_a_signature | odd_pngs | st.binary(max_size=60))
def test_a_damaged_file_has_the_size_of_its_header_or_is_turned_away(format: str, data: bytes) -> None:
    frame = decoded(CompressedImage(format=format, data=array("B", data)))

    if frame is not None:
        assert frame.image.shape[:2] == check_compressed(format, data)


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_files_undamaged_give_their_pixels(name: str) -> None:
    frame = decoded(CompressedImage(format=name[-3:], data=array("B", FILES[name])))

    if name == "colour16.png":
        assert frame is None
    else:
        assert frame is not None
        tolerance = 12 if name.endswith("jpg") else 0
        assert np.abs(frame.image.astype(int) - REAL[name]).max() <= tolerance


def hostile() -> dict[str, Image | CompressedImage]:
    """Return small messages that ask for much memory."""
    side = 30_000
    bitmap = png_of(side, side, 1, 0, bytes(side * (1 + side // 8)))
    files = {
        "a true PNG of 900 megapixels in 100 kB": bitmap,
        "a PNG header of 60,000 x 60,000": png_of(60_000, 60_000, 8, 2, b""),
        "a PNG header of 2**31 columns": png_of(2**31 - 1, 1, 8, 2, b""),
        "a PNG chunk of 2 GB": BEGINNINGS["PNG"] + struct.pack(">I", 2**31 - 1) + b"IHDR" + bytes(64),
        "a JPEG of 65,500 x 65,500": jpeg_of(65_500, 65_500),
        "a PNG just within the limit": png_of(8192, 8192, 16, 6, b""),
        "a JPEG just within the limit": jpeg_of(8192, 8192),
    }
    messages = {name: CompressedImage(format="png", data=array("B", data)) for name, data in files.items()}
    raw = Image(
        encoding="rgba8", height=2**32 - 1, width=2**32 - 1, step=2**32 - 1, data=array("B", [0] * 64)
    )
    return {**messages, "a raw image of 2**32 rows": raw}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def growth() -> dict[str, int]:
    """Return by how many megabytes the peak of memory grows with each of the hostile messages."""
    decoded(CompressedImage(format="png", data=array("B", FILES["colour.png"])))  # loads what it needs
    grown = {}
    for name, message in hostile().items():
        before = peak()
        decoded(message)
        grown[name] = peak() - before
    return grown


def test_small_messages_that_ask_for_much_memory_do_not_get_it() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:  # its peak is its own
        grown = fresh.submit(growth).result(timeout=120)

    within = {name: megabytes for name, megabytes in grown.items() if "within" in name}
    assert len(within) == 2
    assert max(within.values()) <= LIMIT
    assert max(megabytes for name, megabytes in grown.items() if name not in within) <= 16
