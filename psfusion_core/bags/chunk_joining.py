"""Joins the fused chunks of a bag with the topics that the bag had before, in order of time."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from psfusion_core.bags.bag_reader import Bag, BagError, RecordedMessage, Storage, Topic
from psfusion_core.bags.bag_report import BagReport
from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.bags.chunk_fusing import OUTCOME, PREVIEW, ChunkOutcome
from psfusion_core.bags.message_codec import OUTPUT_TYPES
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.fusion.contact_sheet import ContactSheet
from psfusion_core.fusion.video import Video


@dataclass(frozen=True)
class ChunkJoining:
    """Writes the result of one bag.

    Attributes:
        bag: The source bag.
        chunks: The files of its chunks, in order.
        storage: The storage format of the result.
        only_fused: Whether to leave out the topics of the source.
        previews: The video and the contact sheet to fill; both are optional.
        report: Receives a line for every topic that is left out.
    """

    bag: Bag
    chunks: list[Path]
    storage: Storage
    only_fused: bool
    previews: list[Video | ContactSheet]
    report: BagReport

    def write(self, folder: Path) -> None:
        """Write the bag to a folder, which must not exist.

        Raises:
            OSError: The bag cannot be written.
        """
        copied = [] if self.only_fused else [t for t in self.bag.topics if self._is_copied(t)]
        total = len(OUTPUT_TYPES) * self.report.published  # about: a pair need not have a camera_info
        total += 0 if self.only_fused else sum(topic.count for topic in self.bag.topics)
        with BagWriter(folder, self.storage) as writer:
            for topic in copied:
                converter = self.bag.converter
                writer.copy(topic, None if converter is None else converter.types)
            for name, kind in OUTPUT_TYPES.items():
                writer.add(name, kind)
            streams = (self._originals(copied), self._results())
            merged = heapq.merge(*streams, key=lambda recorded: recorded.time)
            title = f"writing {folder.name}"
            for recorded in tqdm(merged, total=total, desc=title, unit="msg", leave=False, disable=None):
                writer.write(recorded.topic.name, recorded.topic.type, recorded.time, recorded.data)

    def _is_copied(self, topic: Topic) -> bool:
        trouble = self.bag.trouble_with(topic)
        if topic.name in OUTPUT_TYPES:
            trouble = "the new results take its place"
        if trouble:
            self.report.notice(f"{topic.name} of {self.bag.path} is left out: {trouble}")
        return not trouble

    def _originals(self, topics: list[Topic]) -> Iterator[RecordedMessage]:
        try:
            yield from self.bag.messages(topics)
        except BagError:  # the report said so when the bag was paired
            return

    def _results(self) -> Iterator[RecordedMessage]:
        for path in self.chunks:
            with Bag(path) as chunk:
                for recorded in chunk.messages([t for t in chunk.topics if t.name != OUTCOME]):
                    if recorded.topic.name != PREVIEW:
                        yield recorded
                        continue
                    picture = _decode(recorded)
                    for preview in self.previews:
                        preview.add(picture, recorded.time)


def read_outcome(path: Path) -> ChunkOutcome:
    """Read the outcome of a chunk from its file.

    Raises:
        BagError: The file is not a chunk.
    """
    with Bag(path) as chunk:
        topics = [topic for topic in chunk.topics if topic.name == OUTCOME]
        for recorded in chunk.messages(topics):
            return ChunkOutcome(**json.loads(_message(recorded).data))
    raise BagError(f"expected a chunk in {path}, got another bag: remove its folder")


def _decode(recorded: RecordedMessage) -> npt.NDArray[np.uint8]:
    picture: Any = cv2.imdecode(_message(recorded).data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _message(recorded: RecordedMessage) -> Any:
    return typestore().deserialize_cdr(recorded.data, recorded.topic.type)
