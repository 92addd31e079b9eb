"""From a bag of the node's topics to images, a contact sheet and a video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image
from tqdm import tqdm

from psfusion_core.bags.bag_reader import Bag
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.image_files import write_image
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.serialised_stamp import stamp_of_serialised
from psfusion_core.fusion.contact_sheet import side_by_side, stack
from psfusion_ros.image_messages import with_known_encoding
from psfusion_ros.record.timeline import FOLDERS, Shot, median_step

SHEET, VIDEO = "contact_sheet.png", "side_by_side.mp4"
SHEET_ROWS, SHEET_PANEL_WIDTH, VIDEO_PANEL_WIDTH = 6, 320, 480


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
    video = _Video(output / VIDEO, median_step([shot.stamp for shot in shots]))
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
    with Bag(bag) as reader:
        for topic, _, data in reader.messages(reader.topics):
            key = topic.name, stamp_of_serialised(data)
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
        return to_infrared(to_frame(with_known_encoding(message, "infrared")))
    return to_visible(to_frame(with_known_encoding(message, "visible")))


def _row(images: Mapping[str, Any], moment: str, panel_width: int, aspect: float) -> npt.NDArray[np.uint8]:
    panels = {
        f"visible, {moment}": images["visible/image"],
        "infrared": images["infrared/image"],
        "fused": images["fused/image"],
        "fused with classes": images["semantic/overlay"],
    }
    return side_by_side(panels, panel_width, round(panel_width * aspect))


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
