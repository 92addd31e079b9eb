"""Videos, decoded again: pictures, times, and what is said without PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from psfusion_core.fusion.video import Video

MILLISECOND = 1_000_000
COLORS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (120, 120, 120)]


def picture(color: tuple[int, int, int], height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), color, np.uint8)


def write(path: Path, times: list[float]) -> None:
    """Write a video of the colours in turn, at times in milliseconds."""
    video = Video(path)
    for number, time in enumerate(times):
        video.add(picture(COLORS[number % len(COLORS)]), round(time * MILLISECOND))
    video.close()


def test_a_video_shows_its_pictures_at_their_times(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write(tmp_path / "video.mp4", [5000.0, 5100.0, 5150.4, 5400.0])

    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = list(container.decode(video=0))

    assert [round(frame.time, 3) for frame in frames] == [0.0, 0.1, 0.15, 0.4]
    for frame, color in zip(frames, COLORS, strict=True):
        shown = frame.to_ndarray(format="rgb24")
        assert shown.shape == (48, 64, 3)
        assert np.abs(shown.astype(int) - color).max() < 12


@pytest.mark.parametrize("rate", [1.0, 10.0, 30.0])
def test_pictures_at_a_steady_rate_make_a_video_of_that_rate(tmp_path: Path, rate: float) -> None:
    av = pytest.importorskip("av")
    write(tmp_path / "video.mp4", [1000.0 * number / rate for number in range(12)])

    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.frames == 12
        assert float(stream.average_rate) == pytest.approx(rate, rel=0.005)
        assert float(stream.duration * stream.time_base) == pytest.approx(12 / rate, rel=0.005)


def test_a_picture_that_comes_too_early_or_of_another_size_is_shown_nevertheless(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    video = Video(tmp_path / "video.mp4")
    video.add(picture(COLORS[0]), 0)
    video.add(picture(COLORS[1], 24, 32), 100 * MILLISECOND)
    video.add(picture(COLORS[2]), 50 * MILLISECOND)
    video.close()

    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = list(container.decode(video=0))

    assert [round(frame.time, 3) for frame in frames] == [0.0, 0.1, 0.101]
    assert {(frame.height, frame.width) for frame in frames} == {(48, 64)}


def test_without_pyav_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"a video needs pip install '\.\[bag\]'"):
        Video(tmp_path / "video.mp4")
