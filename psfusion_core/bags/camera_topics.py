"""Finds the topics of the two cameras in a bag."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from psfusion_core.bags.bag_reader import CAMERA_INFO, COMPRESSED, IMAGE, Bag, BagError, Topic
from psfusion_core.cameras.stamped import Camera

IMAGE_TYPES = (IMAGE, COMPRESSED)

_WORDS: dict[Camera, tuple[str, ...]] = {
    "visible": ("visible", "vis", "rgb", "color", "colour"),
    "infrared": ("infrared", "thermal", "lwir", "ir", "flir", "boson", "lepton"),
}
"""Words that mark a topic of a camera. A word must match a whole part of the topic's name."""

_OTHER = ("fused", "semantic", "depth", "mask", "label", "overlay")
"""Words that mark a topic as something other than a camera image."""


@dataclass(frozen=True)
class TopicNames:
    """The topic names that the user gave. A topic that is None is found by type and name."""

    visible: str | None = None
    infrared: str | None = None
    visible_info: str | None = None
    infrared_info: str | None = None


@dataclass(frozen=True)
class CameraTopics:
    """The topics of both cameras.

    Attributes:
        visible, infrared: The image topics, raw or compressed.
        infos: The camera_info topics of the cameras that have one.
    """

    visible: Topic
    infrared: Topic
    infos: tuple[tuple[Camera, Topic], ...]

    @property
    def names(self) -> TopicNames:
        return TopicNames(self.visible.name, self.infrared.name)


def find_topics(bag: Bag, names: TopicNames = TopicNames()) -> CameraTopics:
    """Find the topics of both cameras.

    Raises:
        BagError: A named topic does not exist, or no topic or several topics match a camera. The message
            lists the candidates.
    """
    visible = _find_images(bag, "visible", names.visible)
    infrared = _find_images(bag, "infrared", names.infrared)
    if visible == infrared:
        raise BagError(f"expected two cameras in {bag.path}, got {visible.name} for both: name the topics")
    infos: list[tuple[Camera, Topic]] = []
    cameras: tuple[tuple[Camera, Topic, str | None], ...] = (
        ("visible", visible, names.visible_info),
        ("infrared", infrared, names.infrared_info),
    )
    for camera, images, name in cameras:
        found = [t for t in bag.topics if t.type == CAMERA_INFO and t.name == (name or _info_name(images))]
        if name and not found:
            raise _missing(bag, name, (CAMERA_INFO,))
        infos += [(camera, topic) for topic in found]
    return CameraTopics(visible, infrared, tuple(infos))


def _find_images(bag: Bag, camera: Literal["visible", "infrared"], name: str | None) -> Topic:
    images = [topic for topic in bag.topics if topic.type in IMAGE_TYPES]
    if name is not None:
        found = [topic for topic in images if topic.name.strip("/") == name.strip("/")]
        if not found:
            raise _missing(bag, name, IMAGE_TYPES)
        return found[0]
    candidates = [
        topic for topic in images if _is_named(topic, _WORDS[camera]) and not _is_named(topic, _OTHER)
    ]
    raw = [topic for topic in candidates if topic.type == IMAGE]
    candidates = raw or candidates  # as the node does: compressed only if there is no raw topic
    if len(candidates) != 1:
        raise BagError(
            f"expected one topic in {bag.path} that is named as {camera} images are, got "
            f"{_listed(candidates)} among {_listed(images)}: name it (--{camera}-topic)"
        )
    return candidates[0]


def _is_named(topic: Topic, words: Collection[str]) -> bool:
    parts = re.findall(r"[a-z]+", topic.name.lower())
    return any(part in words for part in parts)


def _info_name(images: Topic) -> str:
    """The camera_info topic of an image topic by the convention of image_transport."""
    name = images.name.removesuffix("/compressed") if images.type == COMPRESSED else images.name
    return f"{name.rpartition('/')[0]}/camera_info"


def _missing(bag: Bag, name: str, types: Collection[str]) -> BagError:
    what = "camera_info" if CAMERA_INFO in types else "images"
    there = [topic for topic in bag.topics if topic.type in types]
    return BagError(
        f"expected {what} on {name} in {bag.path}, got {what} on {_listed(there)}: name the topics"
    )


def _listed(topics: Collection[Topic]) -> str:
    return ", ".join(topic.name for topic in topics) or "no topic"
