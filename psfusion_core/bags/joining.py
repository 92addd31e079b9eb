"""The results of all chunks and what the bag had before, in one bag in order of time."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.bags.bag_reader import Bag, BagError, Recorded, Storage, Topic
from psfusion_core.bags.chunk_fusing import OUTCOME, PREVIEW, ChunkOutcome
from psfusion_core.bags.output_messages import OUTPUT_TYPES
from psfusion_core.bags.rosbags_package import typestore
from psfusion_core.bags.writing import BagWriter


class PreviewSink(Protocol):
    """Takes the previews in order."""

    def add(self, preview: npt.NDArray[np.uint8], time: int) -> None:
        """Take (H, W, 3) uint8 RGB and its time, ns."""
        ...


@dataclass(frozen=True)
class Joining:
    """What is joined.

    Attributes:
        bag: the source.
        chunks: files of its chunks, in order.
        storage: of the result.
        only_fused: without what the source has.
        sinks: take the previews.
        notice: told of every topic that is left out.
        progress: told after every message.
    """

    bag: Bag
    chunks: list[Path]
    storage: Storage
    only_fused: bool
    sinks: list[PreviewSink]
    notice: Callable[[str], object]
    progress: Callable[[], object]

    def write(self, folder: Path) -> None:
        """Write the bag; the folder must not exist.

        Raises:
            OSError: it cannot be written.
        """
        copied = [] if self.only_fused else [t for t in self.bag.topics if self._is_copied(t)]
        with BagWriter(folder, self.storage) as writer:
            for topic in copied:
                converter = self.bag.converter
                writer.copy(topic, None if converter is None else converter.types)
            for name, kind in OUTPUT_TYPES.items():
                writer.add(name, kind)
            streams = (self._originals(copied), self._results())
            for recorded in heapq.merge(*streams, key=lambda recorded: recorded.time):
                writer.write(recorded.topic.name, recorded.topic.type, recorded.time, recorded.data)
                self.progress()

    def _is_copied(self, topic: Topic) -> bool:
        trouble = self.bag.trouble_with(topic)
        if topic.name in OUTPUT_TYPES:
            trouble = "the new results take its place"
        if trouble:
            self.notice(f"{topic.name} of {self.bag.path} is left out: {trouble}")
        return not trouble

    def _originals(self, topics: list[Topic]) -> Iterator[Recorded]:
        try:
            yield from self.bag.messages(topics)
        except BagError:  # damaged here, which was told when its pairs were made
            return

    def _results(self) -> Iterator[Recorded]:
        for path in self.chunks:
            with Bag(path) as chunk:
                for recorded in chunk.messages([t for t in chunk.topics if t.name != OUTCOME]):
                    if recorded.topic.name != PREVIEW:
                        yield recorded
                        continue
                    preview = _decode(recorded)
                    for sink in self.sinks:
                        sink.add(preview, recorded.time)


def read_outcome(path: Path) -> ChunkOutcome:
    """Read what became of the pairs of a chunk from its file.

    Raises:
        BagError: it is no such file.
    """
    with Bag(path) as chunk:
        topics = [topic for topic in chunk.topics if topic.name == OUTCOME]
        for recorded in chunk.messages(topics):
            return ChunkOutcome(**json.loads(_message(recorded).data))
    raise BagError(f"expected a chunk in {path}, got another bag: remove its folder")


def _decode(recorded: Recorded) -> npt.NDArray[np.uint8]:
    picture: Any = cv2.imdecode(_message(recorded).data, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _message(recorded: Recorded) -> Any:
    return typestore().deserialize_cdr(recorded.data, recorded.topic.type)


def message_count(bag: Bag, chunks: Iterable[ChunkOutcome], only_fused: bool) -> int:
    """Return about how many messages `Joining` will write."""
    results = len(OUTPUT_TYPES) * sum(outcome.published for outcome in chunks)
    return results + (0 if only_fused else sum(topic.count for topic in bag.topics))
