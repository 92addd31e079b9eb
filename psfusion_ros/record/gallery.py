"""Writes images, a contact sheet and a video from a bag of the node's topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
from psfusion_core.fusion.contact_sheet import ContactSheet, side_by_side
from psfusion_core.fusion.video import Video
from psfusion_ros.image_messages import with_known_encoding
from psfusion_ros.record.timeline import FOLDERS, Shot, median_step

SHEET, VIDEO = "contact_sheet.png", "side_by_side.mp4"
SHEET_PANEL_WIDTH, VIDEO_PANEL_WIDTH = 320, 480

PERIODS = 1e9 / 30.0, 1e9
"""Shortest and longest time that the video shows a pair, ns."""


def write_gallery(bag: Path, shots: list[Shot], output: Path) -> None:
    """Write the images of every shot, a contact sheet and a video.

    Args:
        bag: The bag that `Spool` wrote.
        shots: The shots of its timeline, at least one.
        output: Folder; the folders `visible`, `infrared`, `fused`, `mask` and `overlay` in it get one PNG per
            shot each, named by its stamp.

    Raises:
        ImportError: The package av is missing.
        OSError: A file cannot be written.
    """
    for folder in FOLDERS.values():
        (output / folder).mkdir(parents=True, exist_ok=True)
    sheet, video = ContactSheet(output / SHEET, len(shots)), Video(output / VIDEO)
    period = float(np.clip(median_step([shot.stamp for shot in shots]), *PERIODS))
    aspect = 0.0  # the first image's aspect ratio is used for all, because a video has one size
    for number, (shot, images) in enumerate(_decoded(bag, shots)):
        for topic, folder in FOLDERS.items():
            write_image(output / folder / f"{shot.name}.png", images[topic])
        height, width = images["visible/image"].shape[:2]
        aspect = aspect or height / width
        moment = f"{(shot.stamp - shots[0].stamp) / 1e9:.1f} s"
        for sink, panel_width in ((video, VIDEO_PANEL_WIDTH), (sheet, SHEET_PANEL_WIDTH)):
            sink.add(_row(images, moment, panel_width, aspect), round(number * period))
    video.close()
    sheet.close()


def _decoded(bag: Path, shots: list[Shot]) -> Iterator[tuple[Shot, dict[str, npt.NDArray[np.generic]]]]:
    """Yield every shot with its five images; only images of later shots are kept in memory."""
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
