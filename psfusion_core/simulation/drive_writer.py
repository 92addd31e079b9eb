"""Writes a drive as a rosbag2 folder (without ROS) or as folders of PNG files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import write_image
from psfusion_core.simulation.scene import SimulatedFrame
from psfusion_core.simulation.simulated_camera import Camera

Frames = Iterable[tuple[int, SimulatedFrame]]
Storage = Literal["sqlite3", "mcap"]

START_NANOSECONDS = 1_700_000_000 * 10**9
"""Stamp of the first frame: fixed, so that the same drive is always the same bag."""

IMAGE_TOPICS = {
    "/visible/image": "visible_camera",
    "/infrared/image": "infrared_camera",
    "/ground_truth/label": "visible_camera",
}
"""Image topics and their frame_id; the label map has class indices in mono8."""
INFO_TOPICS = {"/visible/camera_info": "visible_camera", "/infrared/camera_info": "infrared_camera"}


def write_images(frames: Frames, folder: Path) -> None:
    """Write vi/NUMBER.png, ir/NUMBER.png (8 or 16 bit) and label/NUMBER.png (class indices).

    Args:
        frames: The frames of the drive.
        folder: The folder to create; it must not exist.
    """
    folder.mkdir()
    for name in ("vi", "ir", "label"):
        (folder / name).mkdir()
    for number, (_, frame) in enumerate(frames):
        pictures = {"vi": frame.visible, "ir": frame.infrared, "label": frame.label}
        for name, picture in pictures.items():
            write_image(folder / name / f"{number:06d}.png", picture)


def write_bag(frames: Frames, folder: Path, camera: Camera, storage: Storage) -> None:
    """Write a rosbag2 folder with the topics of IMAGE_TOPICS and INFO_TOPICS. Header stamps equal bag time.

    It writes metadata version 8, which every rosbag2 since Humble reads.

    Args:
        frames: The frames of the drive.
        folder: The folder to create; it must not exist.
        camera: Intrinsics for the camera_info messages.
        storage: The storage format of the bag.

    Raises:
        ImportError: The package rosbags is missing.
    """
    from rosbags.rosbag2 import StoragePlugin, Writer

    encode = MessageEncoder(camera)
    plugin = {"sqlite3": StoragePlugin.SQLITE3, "mcap": StoragePlugin.MCAP}[storage]
    with Writer(folder, version=8, storage_plugin=plugin) as writer:
        connections = {
            topic: writer.add_connection(topic, encode.message_type(topic), typestore=encode.typestore)
            for topic in (*IMAGE_TOPICS, *INFO_TOPICS)
        }
        for elapsed, frame in frames:
            stamp = START_NANOSECONDS + elapsed
            for topic, message in encode.messages(frame, stamp).items():
                writer.write(connections[topic], stamp, message)


class MessageEncoder:
    """Serialises simulated frames as ROS messages.

    Args:
        camera: Intrinsics for the camera_info messages.
    """

    def __init__(self, camera: Camera) -> None:
        from rosbags.typesys import Stores, get_typestore

        self.camera = camera
        self.typestore = get_typestore(Stores.ROS2_HUMBLE)
        self._types: dict[str, Callable[..., Any]] = dict(self.typestore.types)

    def message_type(self, topic: str) -> str:
        """ROS name of the messages on a topic."""
        return "sensor_msgs/msg/Image" if topic in IMAGE_TOPICS else "sensor_msgs/msg/CameraInfo"

    def messages(self, frame: SimulatedFrame, stamp: int) -> dict[str, memoryview]:
        """CDR bytes by topic, all with the header stamp `stamp` (nanoseconds)."""
        pictures: dict[str, npt.NDArray[Any]] = dict(
            zip(IMAGE_TOPICS, (frame.visible, frame.infrared, frame.label), strict=True)
        )
        encoded = {}
        for topic, frame_id in (IMAGE_TOPICS | INFO_TOPICS).items():
            name = self.message_type(topic)
            header = (
                self._header(stamp, frame_id)
                if topic in INFO_TOPICS
                else self._header(stamp, IMAGE_TOPICS[topic])
            )
            message = self._info(header) if topic in INFO_TOPICS else self._image(header, pictures[topic])
            encoded[topic] = self.typestore.serialize_cdr(message, name)
        return encoded

    def _header(self, stamp: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp, 10**9)
        time = self._types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
        return self._types["std_msgs/msg/Header"](stamp=time, frame_id=frame_id)

    def _image(self, header: Any, picture: npt.NDArray[Any]) -> Any:
        encoding = "rgb8" if picture.ndim == 3 else "mono16" if picture.dtype == np.uint16 else "mono8"
        little_endian = np.ascontiguousarray(picture, picture.dtype.newbyteorder("<"))
        return self._types["sensor_msgs/msg/Image"](
            header=header,
            height=picture.shape[0],
            width=picture.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=little_endian.strides[0],
            data=little_endian.view(np.uint8).reshape(-1),
        )

    def _info(self, header: Any) -> Any:
        camera = self.camera
        # ROS puts pixel centres at whole numbers, the simulator at halves
        x, y = (value - 0.5 for value in camera.center)
        matrix = np.array([[camera.focal, 0.0, x], [0.0, camera.focal, y], [0.0, 0.0, 1.0]])
        region = self._types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        return self._types["sensor_msgs/msg/CameraInfo"](
            header=header,
            height=camera.height,
            width=camera.width,
            distortion_model="plumb_bob",
            d=np.zeros(5),
            k=matrix.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=np.hstack([matrix, np.zeros((3, 1))]).reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=region,
        )
