"""Image messages: whatever is sent comes out, and what is malformed is turned away without harm."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from types import ModuleType

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_decoding import check_message, to_frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_ros import image_messages

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(
    size=sizes, frame_id=st.text("ab/_", max_size=5), stamp=st.integers(0, 2**31 * 10**9 - 1), data=st.data()
)
@pytest.mark.parametrize(("encoding", "channels"), [("rgb8", (3,)), ("mono8", ())])
def test_an_image_survives_the_way_out_over_the_wire_and_in(
    encoding: str,
    channels: tuple[int, ...],
    size: tuple[int, int],
    frame_id: str,
    stamp: int,
    data: st.DataObject,
) -> None:
    image = data.draw(arrays(np.uint8, (*size, *channels)))
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(stamp, 10**9)

    sent = image_messages.to_message(image, encoding, header)  # type: ignore[arg-type]
    frame = to_frame(deserialize_message(serialize_message(sent), Image))

    assert np.array_equal(frame.image, image)
    assert (frame.stamp, frame.frame_id, frame.encoding) == (stamp, frame_id, encoding)


def test_an_array_that_is_no_image_of_the_encoding_is_refused() -> None:
    for image, encoding in (
        (np.zeros((4, 4), np.uint8), "rgb8"),
        (np.zeros((4, 4, 3), np.uint8), "mono8"),
        (np.zeros((4, 4), np.uint16), "mono8"),
        (np.zeros(4, np.uint8), "mono8"),
    ):
        with pytest.raises(ValueError, match=f"expected a uint8 {encoding} image"):
            image_messages.to_message(image, encoding, Header())  # type: ignore[arg-type]


def test_a_strided_image_is_sent_as_its_pixels() -> None:
    image = np.arange(120, dtype=np.uint8).reshape(4, 10, 3)[:, ::2, ::-1]

    message = image_messages.to_message(image, "rgb8", Header())

    assert np.array_equal(to_frame(message).image, image)


def test_the_frame_of_an_rgb8_message_is_a_view_of_its_data() -> None:
    message = image_messages.to_message(np.zeros((4, 5, 3), np.uint8), "rgb8", Header())

    image = to_visible(to_frame(message))
    message.data[7] = 99

    assert image.flat[7] == 99


@given(
    encoding=st.sampled_from([*sorted(PIXEL_FORMATS), "", "nv12", "\N{SNOWMAN}"]),
    height=st.one_of(st.integers(0, 4), st.integers(0, 2**32 - 1)),
    width=st.one_of(st.integers(0, 4), st.integers(0, 2**32 - 1)),
    step=st.one_of(st.integers(0, 16), st.integers(0, 2**32 - 1)),
    is_bigendian=st.integers(0, 255),
    data=st.binary(max_size=64),
)
def test_any_message_gives_an_image_of_its_size_or_a_frame_error(
    encoding: str, height: int, width: int, step: int, is_bigendian: int, data: bytes
) -> None:
    message = Image(encoding=encoding, height=height, width=width, step=step, is_bigendian=is_bigendian)
    message.data = array("B", data)
    try:
        check_message(message)
    except FrameError:
        with pytest.raises(FrameError, match=r"\Aexpected [^\n]+, got [^\n]+\Z"):
            to_frame(message)
    else:
        frame = to_frame(message)
        assert to_visible(frame).shape == (height, width, 3)
        assert to_infrared(frame).shape == (height, width)


@given(format=st.sampled_from(["jpeg", "png", "16UC1; compressedDepth png", ""]), data=st.binary(max_size=64))
def test_a_compressed_message_that_fails_the_check_is_not_decoded(format: str, data: bytes) -> None:
    message = CompressedImage(format=format, data=array("B", data))
    for use in (check_message, to_frame):
        with pytest.raises(FrameError, match=r"\Aexpected [^\n]+, got [^\n]+\Z"):
            use(message)


def test_a_compressed_image_over_the_wire_is_a_frame_with_its_stamp_and_its_pixels() -> None:
    counts = np.random.default_rng(0).integers(0, 65536, (5, 7), np.uint16)
    message = CompressedImage(format="mono16; png compressed ")
    message.header.frame_id = "infrared_optical"
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 34
    message.data = array("B", cv2.imencode(".png", counts)[1].tobytes())

    received = deserialize_message(serialize_message(message), CompressedImage)
    check_message(received)
    frame = to_frame(received)

    assert (frame.stamp, frame.frame_id, frame.encoding) == (12_000_000_034, "infrared_optical", "mono16")
    assert np.array_equal(frame.image, counts)


class FakeBridge:
    """Stands for cv_bridge, which is not to be had from PyPI."""

    def imgmsg_to_cv2(self, message: Image, encoding: str) -> np.ndarray:
        if message.encoding == "broken":
            raise RuntimeError("several\nlines of trouble")
        channels = (3,) if encoding == "rgb8" else ()
        return np.full((message.height, message.width, *channels), 7, np.uint8)


@pytest.fixture
def cv_bridge(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("cv_bridge")
    module.CvBridge = FakeBridge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    image_messages._cv_bridge.cache_clear()
    yield
    image_messages._cv_bridge.cache_clear()


@pytest.mark.usefixtures("cv_bridge")
def test_cv_bridge_is_asked_about_encodings_that_are_none_of_ours() -> None:
    message = Image(encoding="rgb16", height=2, width=3)
    message.header.frame_id = "optical"

    visible, infrared = (
        image_messages.with_known_encoding(message, camera) for camera in ("visible", "infrared")
    )

    for converted in (visible, infrared):
        check_message(converted)
        assert converted.header == message.header
    assert to_visible(to_frame(visible)).tolist() == [[[7, 7, 7]] * 3] * 2
    assert to_infrared(to_frame(infrared)).tolist() == [[7, 7, 7]] * 2


@pytest.mark.usefixtures("cv_bridge")
def test_cv_bridge_is_not_asked_about_our_encodings_compressed_images_and_absurd_sizes() -> None:
    for message in (Image(encoding="bgr8", height=2, width=3), CompressedImage(format="jpeg")):
        assert image_messages.with_known_encoding(message, "visible") is message
    with pytest.raises(FrameError, match="at most"):
        image_messages.with_known_encoding(Image(encoding="rgb16", height=2**31, width=3), "visible")


def test_without_cv_bridge_an_unknown_encoding_is_refused_by_name() -> None:
    message = image_messages.with_known_encoding(Image(encoding="nv12", height=2, width=3), "visible")
    with pytest.raises(FrameError, match=r"expected one of the encodings .*, got 'nv12'"):
        check_message(message)


@pytest.mark.usefixtures("cv_bridge")
def test_what_cv_bridge_cannot_convert_is_a_frame_error_of_one_line() -> None:
    with pytest.raises(FrameError, match="'broken' \\(several lines of trouble\\)"):
        image_messages.with_known_encoding(Image(encoding="broken", height=2, width=3), "visible")
