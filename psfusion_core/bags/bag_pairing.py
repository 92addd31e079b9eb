"""Checks and pairs the images of a bag as the node does, in one pass and with little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psfusion_core.bags.bag_reader import Bag, BagError, RecordedMessage, Topic
from psfusion_core.bags.camera_topics import CameraTopics
from psfusion_core.bags.message_codec import MessageCodec
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.image_decoding import Message
from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import Camera, StampedPair, StreamCounts
from psfusion_core.fusion.fusion_parameters import FusionParameters

END = 2**63 - 1
"""A time at which every pair is ready, in ns."""


class ImageKey(NamedTuple):
    """Identifies a message of a topic: time of recording in ns, and index among messages of the same time."""

    time: int
    number: int


class _Numbering:
    """Gives each message its key. Call it once for every message, in the order of reading."""

    def __init__(self) -> None:
        self._last: dict[Topic, ImageKey] = {}

    def __call__(self, recorded: RecordedMessage) -> ImageKey:
        last = self._last.get(recorded.topic)
        number = last.number + 1 if last is not None and last.time == recorded.time else 0
        key = self._last[recorded.topic] = ImageKey(recorded.time, number)
        return key


@dataclass(frozen=True)
class RecordedImage:
    """A valid image message, and the key to find it in the bag again."""

    key: ImageKey
    message: Message


@dataclass
class CameraReport:
    """Counts the images of one camera: received = rejected + counts.received.

    Attributes:
        received: Number of images in the readable part of the bag.
        rejected: Number of images that cannot be used.
        counts: What pairing did with the other images.
    """

    received: int = 0
    rejected: int = 0
    counts: StreamCounts = field(default_factory=StreamCounts)


class BagPairing:
    """Pairs the images of a bag. It makes every pair that the policy allows; no pair is dropped to save time.

    The time of recording replaces the time of arrival.

    Attributes:
        reports: The counts of each camera, complete after the last pair.
        infos: The latest camera_info of each camera, as CDR bytes with an empty header. Before the first
            camera_info of the bag, that first one applies.
        damage: Why the bag could not be read to its end; empty if it could.
    """

    def __init__(
        self,
        bag: Bag,
        topics: CameraTopics,
        parameters: FusionParameters,
        reject: Callable[[Camera, str], object] = lambda camera, reason: None,
    ) -> None:
        """Read nothing yet; iterating reads and pairs.

        Args:
            bag: The bag to read.
            topics: The topics of the cameras.
            parameters: The settings of pairing and image checks.
            reject: Called with the camera and the reason for every image that cannot be used.

        Raises:
            ValueError: The pairing policy is one of message_filters, which needs ROS.
        """
        sync = parameters.sync()
        if sync.policy != "nearest":
            raise ValueError(
                f"expected sync.policy nearest for a bag, got {sync.policy}: message_filters needs ROS"
            )
        self.reports: dict[Camera, CameraReport] = {"visible": CameraReport(), "infrared": CameraReport()}
        self.infos: dict[Camera, bytes] = {}
        self._now = 0
        self.damage = ""
        self._bag = bag
        self._topics = topics
        self._outputs = MessageCodec()
        self._reject = reject
        self._checks = {camera: ImageCheck(parameters.frozen_after) for camera in self.reports}
        self._pairer: Pairer[RecordedImage] = Pairer(
            sync.tolerance, sync.visible_offset, sync.infrared_offset, sync.queue_size, keeps_all=True
        )
        self._key_of = _Numbering()

    def __iter__(self) -> Iterator[StampedPair[RecordedImage]]:
        """Read the bag and yield its pairs in order. Iterate only once."""
        for camera, topic in self._topics.infos:
            first = next(self._readable(self._bag.messages([topic])), None) if topic.count else None
            if first is not None:
                self._keep_info(camera, first)
        cameras: dict[Topic, Camera] = {self._topics.visible: "visible", self._topics.infrared: "infrared"}
        infos = {topic: camera for camera, topic in self._topics.infos}
        for recorded in self._readable(self._bag.messages([*cameras, *infos])):
            self._now = max(self._now, recorded.time)
            yield from self._ready(self._now)
            if recorded.topic in infos:
                self._keep_info(infos[recorded.topic], recorded)
            else:
                self._add(cameras[recorded.topic], recorded)
                yield from self._ready(self._now)
        yield from self._ready(END)
        self.reports["visible"].counts, self.reports["infrared"].counts = self._pairer.counts()

    def _readable(self, messages: Iterable[RecordedMessage]) -> Iterator[RecordedMessage]:
        """Yield messages up to the first damage."""
        try:
            yield from messages
        except BagError as error:
            self.damage = str(error)

    def _ready(self, now: int) -> Iterator[StampedPair[RecordedImage]]:
        while (pair := self._pairer.take(now)) is not None:
            yield pair

    def _add(self, camera: Camera, recorded: RecordedMessage) -> None:
        report = self.reports[camera]
        report.received += 1
        key = self._key_of(recorded)
        try:
            message = self._outputs.read(recorded)
            stamp = self._checks[camera].accept(message, self._now, recorded.time)
        except FrameError as error:
            report.rejected += 1
            self._reject(camera, str(error))
            return
        add = self._pairer.add_visible if camera == "visible" else self._pairer.add_infrared
        add(stamp, RecordedImage(key, message), self._now)

    def _keep_info(self, camera: Camera, recorded: RecordedMessage) -> None:
        try:
            info = self._outputs.without_header(self._outputs.read(recorded))
        except FrameError as error:
            self._reject(camera, str(error))
            return
        if info != self.infos.get(camera):  # otherwise keep the same object, so that it is pickled once
            self.infos[camera] = info


def read_pairs(
    bag: Bag, topics: CameraTopics, pairs: Iterable[tuple[ImageKey, ImageKey]]
) -> Iterator[tuple[Any, Any]]:
    """Read the messages of given pairs again; other messages are not deserialised.

    Args:
        bag: The bag to read.
        topics: The topics of the cameras.
        pairs: The keys of the visible and the infrared image of each pair, in the order of pairing.

    Raises:
        BagError: A message no longer exists.
    """
    waiting = list(pairs)
    if not waiting:
        return
    outputs, key_of = MessageCodec(), _Numbering()
    cameras = topics.visible, topics.infrared
    wanted = {(topic, key) for pair in waiting for topic, key in zip(cameras, pair, strict=True)}
    times = [key.time for _, key in wanted]
    found: dict[tuple[Topic, ImageKey], Any] = {}
    for recorded in bag.messages(cameras, min(times), max(times) + 1):
        place = recorded.topic, key_of(recorded)
        if place in wanted:
            found[place] = outputs.read(recorded)
        while waiting and all(place in found for place in zip(cameras, waiting[0], strict=True)):
            visible, infrared = (found.pop(p) for p in zip(cameras, waiting.pop(0), strict=True))
            yield visible, infrared
        if not waiting:
            return
    raise BagError(f"expected {len(waiting)} more pairs in {bag.path}, got its end: did the bag change?")
