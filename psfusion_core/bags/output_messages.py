"""Messages of ROS 2 made and read without ROS: what the node would publish, as bytes for a bag."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from psfusion_core.bags.bag_reader import CAMERA_INFO, IMAGE, Recorded
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.base.wording import one_line
from psfusion_core.cameras.frame import FrameError

OUTPUT_TYPES = {
    "/fused/image": IMAGE,
    "/fused/camera_info": CAMERA_INFO,
    "/semantic/mask": IMAGE,
    "/semantic/overlay": IMAGE,
}
"""Output topics, as a node without a namespace has them, and the types of their messages."""


class OutputMessages:
    """Reads and makes messages; all of them are CDR bytes with the encapsulation header."""

    def __init__(self) -> None:
        self.types = typestore()
        kinds = self.types.types
        time = kinds["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
        self._no_header = kinds["std_msgs/msg/Header"](stamp=time, frame_id="")

    def read(self, recorded: Recorded) -> Any:
        """Make an object of a message.

        Raises:
            FrameError: the bytes are no such message.
        """
        try:
            return self.types.deserialize_cdr(recorded.data, recorded.topic.type)
        except Exception as error:  # of several kinds: lengths, text, numbers beyond the end
            raise FrameError(
                f"expected a whole {recorded.topic.type}, got {len(recorded.data)} bytes that are none "
                f"({one_line(error)}): check the recorder"
            ) from error

    def image(self, image: npt.NDArray[np.uint8], encoding: Literal["rgb8", "mono8"], header: Any) -> bytes:
        """Make an Image of (H, W, 3) uint8 rgb8 or (H, W) uint8 mono8 pixels, under a header as it is."""
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
        """Put a CameraInfo under another header."""
        message = self.types.deserialize_cdr(info, CAMERA_INFO)
        return bytes(self.types.serialize_cdr(replace(message, header=header), CAMERA_INFO))

    def without_header(self, info: Any) -> bytes:
        """Return a CameraInfo with an empty header: equal bytes for equal calibrations."""
        return bytes(self.types.serialize_cdr(replace(info, header=self._no_header), CAMERA_INFO))
