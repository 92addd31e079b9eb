"""Bags of a few small frames, and an engine that needs no network."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from psfusion_core.bags.bag_reader import CAMERA_INFO, COMPRESSED, IMAGE, Bag, Storage
from psfusion_core.bags.bag_run import BagRun, BagSettings, fuse_bags
from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.bags.message_codec import MessageCodec
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.distribution import Place
from psfusion_core.fusion.fusion_parameters import FusionParameters
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import CLASS_NAMES

START = 1_700_000_000_000_000_000
PERIOD = 100_000_000
HEIGHT, WIDTH = 32, 40

MAKE, TYPES = MessageCodec(), typestore()
KINDS = TYPES.types


class AverageFuser:
    """Has what is asked of psfusion_core.Fuser; kills its process where the environment says so."""

    class_names = CLASS_NAMES
    description = "average"
    device = SimpleNamespace(type="cpu")

    def __init__(self) -> None:
        self.registration = None
        self.done = 0

    def release(self) -> None:
        pass

    def fuse_frames(self, color: Frame, heat: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        self.done += 1
        if str(self.done) == os.environ.get("DIE_AT_PAIR"):
            os.kill(os.getpid(), signal.SIGKILL)
        visible, infrared = to_visible(color), scale(to_infrared(heat))
        if visible.shape[:2] != infrared.shape:
            raise FrameError("sizes differ")
        image = mean_of(visible, infrared)
        mask = np.where(infrared > 200, 2, 0).astype(np.uint8)
        return Pictures(image, mask, overlay=image)


def mean_of(visible: np.ndarray, infrared: np.ndarray) -> np.ndarray:
    """What the average fuser makes of a pair."""
    return visible // 2 + infrared[..., None] // 2


def average(parameters: FusionParameters) -> AverageFuser:
    return AverageFuser()


def header(stamp: int, frame_id: str) -> Any:
    seconds, nanoseconds = divmod(stamp, 10**9)
    time = KINDS["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
    return KINDS["std_msgs/msg/Header"](stamp=time, frame_id=frame_id)


def pixels(number: int, bits: int = 8, height: int = HEIGHT, width: int = WIDTH) -> tuple[np.ndarray, ...]:
    """Return the visible and the infrared image of a pair: noise, the counts wandering."""
    rng = np.random.default_rng(number)
    visible = rng.integers(0, 256, (height, width, 3), np.uint8)
    if bits == 8:
        return visible, rng.integers(0, 256, (height, width), np.uint8)
    middle = 20_000 + 300 * (number % 7)
    return visible, rng.integers(middle - 400, middle + 400, (height, width), np.uint16)


def raw(image: np.ndarray, stamp: int, frame_id: str) -> bytes:
    encoding = "rgb8" if image.ndim == 3 else "mono16" if image.dtype == np.uint16 else "mono8"
    message = KINDS[IMAGE](
        header=header(stamp, frame_id),
        height=image.shape[0],
        width=image.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=image.strides[0],
        data=image.reshape(-1).view(np.uint8),
    )
    return bytes(TYPES.serialize_cdr(message, IMAGE))


def png(image: np.ndarray, stamp: int, frame_id: str) -> bytes:
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    data = cv2.imencode(".png", stored)[1].reshape(-1)
    message = KINDS[COMPRESSED](header=header(stamp, frame_id), format="png", data=data)
    return bytes(TYPES.serialize_cdr(message, COMPRESSED))


def camera_info(stamp: int, frame_id: str, focal: float = 50.0) -> bytes:
    matrix = np.array([[focal, 0, 19.5], [0, focal, 15.5], [0, 0, 1.0]])
    message = KINDS[CAMERA_INFO](
        header=header(stamp, frame_id),
        height=HEIGHT,
        width=WIDTH,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=matrix.reshape(-1),
        r=np.eye(3).reshape(-1),
        p=np.hstack([matrix, np.zeros((3, 1))]).reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=KINDS["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )
    return bytes(TYPES.serialize_cdr(message, CAMERA_INFO))


def messages(count: int, bits: int = 8, compressed: bool = False) -> Iterator[tuple[str, str, int, bytes]]:
    """Yield topic, type, time and bytes of a drive: the infrared 3 ms after the visible image."""
    make, kind, ending = (png, COMPRESSED, "/compressed") if compressed else (raw, IMAGE, "")
    for number in range(count):
        visible, infrared = pixels(number, bits)
        stamp = START + number * PERIOD
        yield "/visible/camera_info", CAMERA_INFO, stamp, camera_info(stamp, "visible_optical")
        yield f"/visible/image{ending}", kind, stamp + 1, make(visible, stamp, "visible_optical")
        yield (
            f"/infrared/image{ending}", kind, stamp + 5_000_000,
            make(infrared, stamp + 3_000_000, "infrared_optical"),
        )  # fmt: skip


def write_bag(path: Path, drive: Iterator[tuple[str, str, int, bytes]], storage: Storage = "mcap") -> Path:
    with BagWriter(path, storage) as writer:
        added = set()
        for name, kind, time, data in drive:
            if name not in added:
                writer.add(name, kind)
                added.add(name)
            writer.write(name, kind, time, data)
    return path


def fuse(bag: Path, output: Path, place: Place | None = None, **settings: Any) -> tuple[BagRun, list[str]]:
    """Fuse a bag with the engine above; return its run and the printed lines."""
    given = BagSettings(**{"parameters": FusionParameters(), "make_fuser": average, **settings})
    run = BagRun(0, bag, output, given)
    for _ in fuse_bags([run], given, place or Place()):
        pass
    return run, run.report.notices


def read_all(path: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Return time and bytes of every message by topic."""
    with Bag(path) as bag:
        found: dict[str, list[tuple[int, bytes]]] = {topic.name: [] for topic in bag.topics}
        for topic, time, data in bag.messages(bag.topics):
            found[topic.name].append((time, bytes(data)))
    return found


def images(path: Path, topic: str) -> list[np.ndarray]:
    found = [TYPES.deserialize_cdr(data, IMAGE) for _, data in read_all(path)[topic]]
    return [
        m.data.reshape((m.height, m.width, 3) if m.encoding == "rgb8" else (m.height, m.width)) for m in found
    ]


def expected(count: int) -> list[np.ndarray]:
    """Return what the engine makes of the 8-bit drive."""
    return [mean_of(*pixels(number)) for number in range(count)]
