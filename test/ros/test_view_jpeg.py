"""Images as `view` sends them: JPEG, with their colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")
pytest.importorskip("aiohttp", reason="needs aiohttp (extra view)")

from harness import image_message
from sensor_msgs.msg import CompressedImage

from psfusion_core.cameras.frame import FrameError
from psfusion_ros.view.jpeg import to_jpeg


def test_pictures_keep_their_colors_and_a_jpeg_goes_through_as_it_is() -> None:
    colors = np.zeros((48, 64, 3), np.uint8)
    colors[:, :32], colors[:, 32:] = (200, 30, 60), (20, 90, 220)
    decoded = cv2.imdecode(
        np.frombuffer(to_jpeg(image_message(colors, "rgb8", 1, ""), False), np.uint8), cv2.IMREAD_COLOR
    )[..., ::-1]
    assert np.abs(decoded[:, [0, 63]].astype(int) - colors[:, [0, 63]]).max() < 12
    jpeg = cv2.imencode(".jpg", colors)[1].tobytes()
    assert to_jpeg(CompressedImage(format="jpeg", data=jpeg), False) == jpeg
    counts = np.linspace(7000, 7600, 48 * 64).reshape(48, 64).astype(np.uint16)
    grey = cv2.imdecode(
        np.frombuffer(to_jpeg(image_message(counts, "mono16", 1, ""), True), np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert grey.ndim == 2
    assert grey.min() < 10
    assert grey.max() > 245


def test_an_image_wider_than_a_jpeg_file_can_be_is_refused() -> None:
    with pytest.raises(FrameError, match="got 65501 x 2: send it smaller"):
        to_jpeg(image_message(np.zeros((2, 65501), np.uint8), "mono8", 1, ""), True)
