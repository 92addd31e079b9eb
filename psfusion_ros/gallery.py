"""Second half of the recorder: from a bag of the node's topics to images, sheet, video and figures."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import Image
from tqdm import tqdm

from psfusion_core.contact_sheet import side_by_side, stack
from psfusion_core.images import write_image
from psfusion_core.stream.encodings import to_infrared, to_visible
from psfusion_ros.codec import to_frame
from psfusion_ros.recordings import stamp_of_serialised
from psfusion_ros.spool import INPUTS, OUTPUTS

PAIR_TOLERANCE = 50_000_000
"""Stamps of a pair differ by at most so many nanoseconds: the default of the node."""

FOLDERS = {
    "visible/image": "visible",
    "infrared/image": "infrared",
    "fused/image": "fused",
    "semantic/mask": "mask",
    "semantic/overlay": "overlay",
}
"""Where the images of a topic go."""

SHEET, VIDEO = "contact_sheet.png", "side_by_side.mp4"
SHEET_ROWS, SHEET_PANEL_WIDTH, VIDEO_PANEL_WIDTH = 6, 320, 480


@dataclass(frozen=True)
class Shot:
    """One fused pair: stamp of the visible image and of all outputs, infrared stamp, latency; nanoseconds."""

    stamp: int
    infrared_stamp: int
    latency: int

    @property
    def name(self) -> str:
        return f"{self.stamp // 10**9}_{self.stamp % 10**9:09d}"


@dataclass(frozen=True)
class Timeline:
    """What happened, from stamps and times of arrival alone.

    Attributes:
        pairs: stamps of visible images with an infrared one within the tolerance.
        rate: visible images per second, as they arrived.
        shots: pairs with all their output images, in order of stamp.
        incomplete: stamps with some of the outputs, and which ones are missing.
    """

    pairs: list[int]
    rate: float
    shots: list[Shot]
    incomplete: dict[int, list[str]]

    def summary(self) -> str:
        """Return the figures in a line."""
        rate = f" at {self.rate:.1f} Hz" if len(self.pairs) > 1 else ""
        line = f"{len(self.pairs)} pairs in{rate}, {len(self.shots)} fused"
        if self.shots:
            latency = median(shot.latency for shot in self.shots) / 1e6
            line += f" ({len(self.shots) / len(self.pairs):.0%}), median latency {latency:.0f} ms"
        if self.incomplete:
            line += f", {len(self.incomplete)} with outputs missing"
        return line


def read_timeline(bag: Path) -> Timeline:
    """Read stamps and times of arrival from a bag that `Spool` wrote."""
    arrivals: dict[str, dict[int, int]] = {topic: {} for topic in (*INPUTS, *OUTPUTS)}
    with Reader(bag) as reader:
        for connection, arrival, data in reader.messages():
            arrivals[connection.topic].setdefault(stamp_of_serialised(data), arrival)
    visible, fused = arrivals["visible/image"], arrivals["fused/image"]
    partners = _nearest(sorted(visible), sorted(arrivals["infrared/image"]))
    with_output = sorted({stamp for topic in OUTPUTS for stamp in arrivals[topic]})
    # The camera info can only be republished where the camera sends one.
    expected = [topic for topic in OUTPUTS if arrivals[topic] or topic != "fused/camera_info"]
    missing = {stamp: [topic for topic in expected if stamp not in arrivals[topic]] for stamp in with_output}
    return Timeline(
        pairs=sorted(partners),
        rate=1e9 / _median_step(list(visible.values())),
        shots=[
            Shot(stamp, partners[stamp], fused[stamp] - visible[stamp])
            for stamp in with_output
            if stamp in partners and not FOLDERS.keys() & missing[stamp]
        ],
        incomplete={stamp: topics for stamp, topics in missing.items() if topics},
    )


def write_gallery(bag: Path, shots: list[Shot], output: Path) -> None:
    """Write the images of every shot, a contact sheet and a video.

    Args:
        bag: what `Spool` wrote.
        shots: those of its timeline, at least one.
        output: folder; gets `visible`, `infrared`, `fused`, `mask` and `overlay`, with one PNG per shot each,
            named by its stamp.

    Raises:
        OSError: OpenCV cannot write the video, or the disk is full.
    """
    for folder in FOLDERS.values():
        (output / folder).mkdir(parents=True, exist_ok=True)
    chosen = {round(i) for i in np.linspace(0, len(shots) - 1, SHEET_ROWS)}
    rows: list[npt.NDArray[np.uint8]] = []
    video = _Video(output / VIDEO, _median_step([shot.stamp for shot in shots]))
    aspect = 0.0  # that of the first image serves all: a video has one size
    for number, (shot, images) in enumerate(_decoded(bag, shots)):
        for topic, folder in FOLDERS.items():
            write_image(output / folder / f"{shot.name}.png", images[topic])
        height, width = images["visible/image"].shape[:2]
        aspect = aspect or height / width
        moment = f"{(shot.stamp - shots[0].stamp) / 1e9:.1f} s"
        video.add(_row(images, moment, VIDEO_PANEL_WIDTH, aspect))
        if number in chosen:
            rows.append(_row(images, moment, SHEET_PANEL_WIDTH, aspect))
    video.close()
    write_image(output / SHEET, stack(rows))


def _decoded(bag: Path, shots: list[Shot]) -> Iterator[tuple[Shot, dict[str, npt.NDArray[np.generic]]]]:
    """Yield every shot with its five images; only what belongs to shots still to come is kept in memory."""
    waiting: dict[tuple[str, int], bytes] = {}
    uses = {("infrared/image", shot.infrared_stamp) for shot in shots}
    uses |= {(topic, shot.stamp) for shot in shots for topic in FOLDERS if topic != "infrared/image"}
    remaining = iter(tqdm(shots, desc="images", unit="pair", disable=None))
    shot = next(remaining, None)
    with Reader(bag) as reader:
        for connection, _, data in reader.messages():
            key = connection.topic, stamp_of_serialised(data)
            if key in uses:
                waiting[key] = bytes(data)
            while shot is not None and all(k in waiting for k in _keys(shot)):
                yield shot, {topic: _decode(topic, waiting[topic, stamp]) for topic, stamp in _keys(shot)}
                waiting = {k: v for k, v in waiting.items() if k[1] > min(shot.stamp, shot.infrared_stamp)}
                shot = next(remaining, None)


def _keys(shot: Shot) -> list[tuple[str, int]]:
    return [(topic, shot.infrared_stamp if topic == "infrared/image" else shot.stamp) for topic in FOLDERS]


def _decode(topic: str, data: bytes) -> npt.NDArray[np.generic]:
    message = deserialize_message(data, Image)
    if topic in ("infrared/image", "semantic/mask"):
        return to_infrared(to_frame(message, "mono8"))
    return to_visible(to_frame(message, "rgb8"))


def _row(images: Mapping[str, Any], moment: str, panel_width: int, aspect: float) -> npt.NDArray[np.uint8]:
    panels = {
        f"visible, {moment}": images["visible/image"],
        "infrared": images["infrared/image"],
        "fused": images["fused/image"],
        "fused with classes": images["semantic/overlay"],
    }
    return side_by_side(panels, panel_width, round(panel_width * aspect))


def _median_step(times: list[int]) -> float:
    """Return the median difference of successive times, nanoseconds; a tenth of a second without any."""
    return max(1.0, median([b - a for a, b in pairwise(times)] or [100_000_000]))


def _nearest(stamps: list[int], others: list[int]) -> dict[int, int]:
    """Map every stamp that has another one within the tolerance to the nearest one."""
    partners = {}
    for stamp in stamps:
        at = bisect_left(others, stamp)
        near = min(others[max(0, at - 1) : at + 1], key=lambda other: abs(other - stamp), default=None)
        if near is not None and abs(near - stamp) <= PAIR_TOLERANCE:
            partners[stamp] = near
    return partners


class _Video:
    """An MP4 whose frames last as long as those of the cameras."""

    def __init__(self, path: Path, period: float) -> None:
        self._path = path
        self._frames_per_second = min(30.0, max(1.0, 1e9 / period))
        self._writer: cv2.VideoWriter | None = None

    def add(self, frame: npt.NDArray[np.uint8]) -> None:
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            size = frame.shape[1], frame.shape[0]
            self._writer = cv2.VideoWriter(str(self._path), codec, self._frames_per_second, size)
            if not self._writer.isOpened():
                raise OSError(f"OpenCV cannot write {self._path}: pip install opencv-python-headless")
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()
