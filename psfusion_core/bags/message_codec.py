"""Deserialises and serialises ROS 2 messages without ROS, among them those that the node publishes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from psfusion_core.bags.bag_reader import CAMERA_INFO, IMAGE, RecordedMessage
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.base.wording import one_line
from psfusion_core.cameras.frame import FrameError

OUTPUT_TYPES = {
    "/fused/image": IMAGE,
    "/fused/camera_info": CAMERA_INFO,
    "/semantic/mask": IMAGE,
    "/semantic/overlay": IMAGE,
}
"""Output topics of a node without a namespace, and the types of their messages."""


class MessageCodec:
    """Deserialises and serialises messages as CDR bytes with the encapsulation header."""

    def __init__(self) -> None:
        self.types = typestore()
        kinds = self.types.types
        time = kinds["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
        self._no_header = kinds["std_msgs/msg/Header"](stamp=time, frame_id="")

    def read(self, recorded: RecordedMessage) -> Any:
        """Deserialise a message.

        Raises:
            FrameError: The bytes are not a message of the topic's type.
        """
        try:
            return self.types.deserialize_cdr(recorded.data, recorded.topic.type)
        except Exception as error:  # rosbags raises several types
            raise FrameError(
                f"expected a whole {recorded.topic.type}, got {len(recorded.data)} bytes that are none "
                f"({one_line(error)}): check the recorder"
            ) from error

    def image(self, image: npt.NDArray[np.uint8], encoding: Literal["rgb8", "mono8"], header: Any) -> bytes:
        """Serialise an Image of (H, W, 3) uint8 rgb8 or (H, W) uint8 mono8 pixels with a given header."""
        step = image.shape[1] * (3 if encoding == "rgb8" else 1)
        message = self.types.types[IMAGE](
            header=header,
            height=image.shape[0],
            width=image.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=step,
            data=np.ascontiguousarray(image).reshape(-1),
        )
        return bytes(self.types.serialize_cdr(message, IMAGE))

    def camera_info(self, info: bytes, header: Any) -> bytes:
        message = self.types.deserialize_cdr(info, CAMERA_INFO)
        return bytes(self.types.serialize_cdr(replace(message, header=header), CAMERA_INFO))

    def without_header(self, info: Any) -> bytes:
        """Serialise a CameraInfo with an empty header, so that equal calibrations give equal bytes."""
        return bytes(self.types.serialize_cdr(replace(info, header=self._no_header), CAMERA_INFO))
