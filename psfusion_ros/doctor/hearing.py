"""What was heard of the cameras and of a node that runs, noted as it came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CompressedImage

from psfusion_core.cameras.compressed import check_compressed
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.image_decoding import stamp_of
from psfusion_core.cameras.stamped import Camera
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.image_messages import AnyImage, with_known_encoding

FROZEN_AFTER = NodeParameters().frozen_after


@dataclass
class Heard:
    """What came from one camera.

    Attributes:
        camera: The camera that is heard.
        topic: where it was heard in the end; `topics`, all that were tried.
        publishers: node and QoS of each, in words.
        mismatched: those among them whose images cannot come with the QoS asked for, with the reason.
        arrivals, stamps: nanoseconds, of every image; the clock is this machine's.
        description: encoding and size of the latest image.
        largest: bytes of the largest image message, or of what the node publishes of it: rgb8 of its size.
        rejected: images that the node could not use; `reason`, what was wrong with the latest.
        lost: images that the middleware says it lost.
        check: the one that the node makes of every image; it watches the stamps too.
    """

    camera: Camera
    topic: str = ""
    topics: tuple[str, ...] = ()
    publishers: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    description: str = ""
    largest: int = 0
    rejected: int = 0
    reason: str = ""
    lost: int = 0
    check: ImageCheck = field(default_factory=lambda: ImageCheck(FROZEN_AFTER))

    def take(self, message: AnyImage, now: int) -> None:
        """Note an image."""
        self.arrivals.append(now)
        self.stamps.append(stamp_of(message.header))
        self.largest = max(self.largest, len(message.data))
        if isinstance(message, CompressedImage):
            self.description = f"compressed ({message.format[:40]})"
        else:
            self.description = f"{message.encoding[:40]} {message.width} x {message.height}"
        try:
            self.check.accept(with_known_encoding(message, self.camera), time.monotonic_ns(), now)
            height, width = _size(message)
            self.largest = max(self.largest, 3 * height * width)
        except FrameError as error:
            self.rejected += 1
            self.reason = str(error)


def _size(message: AnyImage) -> tuple[int, int]:
    if isinstance(message, CompressedImage):
        return check_compressed(message.format, message.data)
    return message.height, message.width


@dataclass
class Hearing:
    """What was heard.

    Attributes:
        cameras: by name.
        image_topics: all topics with images that somebody publishes.
        unserved: subscribers of the node's outputs that get nothing, with the reason.
        statuses: the latest diagnostic status by its name and hardware_id.
    """

    cameras: dict[Camera, Heard]
    image_topics: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    statuses: dict[tuple[str, str], DiagnosticStatus] = field(default_factory=dict)

    @property
    def frame_bytes(self) -> int:
        """Bytes of the largest image message, the node's included; 0 where none came."""
        return max(heard.largest for heard in self.cameras.values())

    def keep(self, message: DiagnosticArray) -> None:
        """Take the statuses of a node."""
        self.statuses |= {(status.name, status.hardware_id): status for status in message.status}
