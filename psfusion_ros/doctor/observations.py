"""What `listen` observes of the cameras and of a running node."""

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
class CameraObservations:
    """What was observed of one camera.

    Attributes:
        name: The name of the camera.
        topic: The topic that was subscribed to last.
        topics: All topics that were tried.
        publishers: Node and QoS of each publisher, in words.
        mismatched: The publishers whose images cannot arrive with the requested QoS, with the reason.
        arrivals, stamps: Nanoseconds, of every image; arrivals are by this machine's clock.
        description: Encoding and size of the latest image.
        largest: Bytes of the largest image message, the rgb8 outputs of the node included.
        rejected: Images that the node could not use.
        reason: Why the latest of these could not be used.
        lost: Images that the middleware reported as lost.
        check: The check that the node applies to every image; it also watches the stamps.
    """

    name: Camera
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

    def record(self, message: AnyImage, now: int) -> None:
        """Record an image that arrived `now`, nanoseconds by this machine's clock."""
        self.arrivals.append(now)
        self.stamps.append(stamp_of(message.header))
        self.largest = max(self.largest, len(message.data))
        if isinstance(message, CompressedImage):
            self.description = f"compressed ({message.format[:40]})"
        else:
            self.description = f"{message.encoding[:40]} {message.width} x {message.height}"
        try:
            self.check.accept(with_known_encoding(message, self.name), time.monotonic_ns(), now)
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
class Observations:
    """What was observed while listening.

    Attributes:
        cameras: The observations of each camera.
        image_topics: All topics of images that have a publisher.
        unserved: Subscribers of the node's outputs that receive nothing, with the reason.
        statuses: The latest diagnostic statuses by name and hardware_id.
    """

    cameras: dict[Camera, CameraObservations]
    image_topics: list[str] = field(default_factory=list)
    unserved: list[str] = field(default_factory=list)
    statuses: dict[tuple[str, str], DiagnosticStatus] = field(default_factory=dict)

    @property
    def frame_bytes(self) -> int:
        """Bytes of the largest image message, including those of the node; 0 if no image arrived."""
        return max(camera.largest for camera in self.cameras.values())

    def record_statuses(self, message: DiagnosticArray) -> None:
        """Record the statuses of a node."""
        self.statuses |= {(status.name, status.hardware_id): status for status in message.status}
