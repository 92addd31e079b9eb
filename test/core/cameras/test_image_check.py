"""Which images of a camera are turned away before they are paired, whoever made the messages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.image_decoding import to_frame

SECOND = 10**9


def message(stamp: int, value: int = 0, **changes: object) -> SimpleNamespace:
    """Make an image of noise, with its first pixel set."""
    pixels = np.random.default_rng(7).integers(0, 256, (8, 10), np.uint8)
    pixels[0, 0] = value
    seconds, nanoseconds = divmod(stamp, SECOND)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=seconds, nanosec=nanoseconds), frame_id="camera")
    fields = {"encoding": "mono8", "height": 8, "width": 10, "step": 10, "is_bigendian": 0}
    return SimpleNamespace(**{"header": header, "data": pixels.reshape(-1), **fields, **changes})


def test_an_image_that_can_be_used_gives_its_stamp() -> None:
    check = ImageCheck(3.0)
    assert check.accept(message(5 * SECOND + 3), SECOND, 5 * SECOND) == 5 * SECOND + 3
    frame = to_frame(message(5 * SECOND + 3))
    assert (frame.stamp, frame.frame_id, frame.encoding) == (5 * SECOND + 3, "camera", "mono8")
    assert frame.image.shape == (8, 10)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stamp": 0}, "expected a stamp, got zero"),
        ({"step": 4}, "expected a step of at least 10"),
        ({"encoding": "nv12"}, "expected one of the encodings"),
        ({"height": 2**31}, "at most"),
    ],
)
def test_what_cannot_be_used_is_refused_and_its_stamp_is_watched(
    changes: dict[str, object], reason: str
) -> None:
    check = ImageCheck(3.0)
    stamp = int(changes.pop("stamp", SECOND))  # type: ignore[call-overload]
    with pytest.raises(FrameError, match=reason):
        check.accept(message(stamp, **changes), 0, SECOND)
    assert check.clock.zero_stamps == (stamp == 0)


def test_the_same_image_for_longer_than_allowed_is_a_frozen_camera_but_not_where_all_is_dark() -> None:
    check = ImageCheck(1.0)
    for tenth in range(11):
        check.accept(message(SECOND + tenth), tenth * SECOND // 10, SECOND)
    with pytest.raises(FrameError, match="the very same one again and again"):
        check.accept(message(SECOND + 12), 12 * SECOND // 10, SECOND)
    check.accept(message(SECOND + 13, value=1), 13 * SECOND // 10, SECOND)

    dark = ImageCheck(1.0)
    for tenth in range(30):
        night = message(SECOND + tenth, data=np.zeros(80, np.uint8))
        assert dark.accept(night, tenth * SECOND // 10, SECOND) == SECOND + tenth
