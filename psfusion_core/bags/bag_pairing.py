"""The images of a bag, checked and paired as the node does it, in one pass and with little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psfusion_core.bags.bag_reader import Bag, BagError, Recorded, Topic
from psfusion_core.bags.output_messages import OutputMessages
from psfusion_core.bags.topics import CameraTopics
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_check import ImageCheck
from psfusion_core.cameras.image_decoding import Message
from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import Camera, StampedPair, StreamCounts
from psfusion_core.fusion.fusion_parameters import FusionParameters

END = 2**63 - 1
"""A time by which every pair is ready, ns."""


class ImageKey(NamedTuple):
    """Which message of a topic: time of its recording, ns, and its number among those of that time."""

    time: int
    number: int


class _Numbering:
    """Gives the messages of topics their keys, in the order in which they are read."""

    def __init__(self) -> None:
        self._last: dict[Topic, ImageKey] = {}

    def __call__(self, recorded: Recorded) -> ImageKey:
        last = self._last.get(recorded.topic)
        number = last.number + 1 if last is not None and last.time == recorded.time else 0
        key = self._last[recorded.topic] = ImageKey(recorded.time, number)
        return key


@dataclass(frozen=True)
class RecordedImage:
    """An image message that can be used, and where it is in the bag."""

    key: ImageKey
    message: Message


@dataclass
class CameraReport:
    """What became of the images of one camera: received = rejected + counts.received.

    Attributes:
        received: images in the bag, as far as it could be read.
        rejected: those that cannot be used.
        counts: what pairing made of the others.
    """

    received: int = 0
    rejected: int = 0
    counts: StreamCounts = field(default_factory=StreamCounts)


class BagPairing:
    """Pairs the images of a bag; every pair that the policy can make, for nobody is in a hurry.

    The time of recording stands for the time of arrival.

    Attributes:
        reports: of each camera, complete at the end.
        infos: the latest camera_info of each camera as CDR bytes with an empty header; the first one of the
            bag also holds before it came.
        damage: why the bag could not be read to its end; empty where it could.
    """

    def __init__(
        self,
        bag: Bag,
        topics: CameraTopics,
        parameters: FusionParameters,
        reject: Callable[[Camera, str], object] = lambda camera, reason: None,
    ) -> None:
        """Get ready; iterate to pair.

        Args:
            bag: to read.
            topics: of the cameras.
            parameters: with the pairing and the checks.
            reject: told of every image that cannot be used, and why.

        Raises:
            ValueError: a pairing policy of message_filters, which needs ROS.
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
        self._outputs = OutputMessages()
        self._reject = reject
        self._checks = {camera: ImageCheck(parameters.frozen_after) for camera in self.reports}
        self._pairer: Pairer[RecordedImage] = Pairer(
            sync.tolerance, sync.visible_offset, sync.infrared_offset, sync.queue_size, keeps_all=True
        )
        self._key_of = _Numbering()

    def __iter__(self) -> Iterator[StampedPair[RecordedImage]]:
        """Read the bag and yield its pairs in order; once."""
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

    def _readable(self, messages: Iterable[Recorded]) -> Iterator[Recorded]:
        """Yield messages until the bag turns out to be damaged."""
        try:
            yield from messages
        except BagError as error:
            self.damage = str(error)

    def _ready(self, now: int) -> Iterator[StampedPair[RecordedImage]]:
        while (pair := self._pairer.take(now)) is not None:
            yield pair

    def _add(self, camera: Camera, recorded: Recorded) -> None:
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

    def _keep_info(self, camera: Camera, recorded: Recorded) -> None:
        try:
            info = self._outputs.without_header(self._outputs.read(recorded))
        except FrameError as error:
            self._reject(camera, str(error))
            return
        if info != self.infos.get(camera):  # else the same object, which is pickled once
            self.infos[camera] = info


def read_pairs(
    bag: Bag, topics: CameraTopics, pairs: Iterable[tuple[ImageKey, ImageKey]]
) -> Iterator[tuple[Any, Any]]:
    """Read the messages of pairs again; only these are made objects of.

    Args:
        bag: to read.
        topics: of the cameras.
        pairs: keys of the visible and of the infrared image, in the order of their pairing.

    Raises:
        BagError: a message is not there any more.
    """
    waiting = list(pairs)
    if not waiting:
        return
    outputs, key_of = OutputMessages(), _Numbering()
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
