"""Bags fused from beginning to end, in chunks that a killed run leaves behind for the next one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from psfusion_core.bags.bag_pairing import BagPairing
from psfusion_core.bags.bag_reader import Bag, BagError, Storage
from psfusion_core.bags.bag_report import BagReport, Teller
from psfusion_core.bags.chunk_fusing import ChunkOutcome, FuseChunks, MakeFuser, load_fuser
from psfusion_core.bags.chunks import CHUNK_PAIRS, Chunk, PairPlanner
from psfusion_core.bags.joining import Joining, message_count, read_outcome
from psfusion_core.bags.previews import ContactSheet, Video
from psfusion_core.bags.topics import CameraTopics, TopicNames, find_topics
from psfusion_core.base.atomic_file import replacing
from psfusion_core.distribution import Place, run_tasks
from psfusion_core.fusion.fusion_parameters import FusionParameters

PREVIEW_WIDTH = 400
"""Of a panel of video and contact sheet, pixels."""

SETTINGS = "settings.json"


@dataclass(frozen=True)
class BagSettings:
    """How bags are fused.

    Attributes:
        parameters: those of the node.
        names: of the topics.
        storage: of the results; None for that of each bag (mcap for ROS 1 bags).
        only_fused: without what the bag had before.
        video, contact_sheet: pictures to write; None for none.
        make_fuser: makes the engine.
        chunk_pairs: pairs of a chunk.
    """

    parameters: FusionParameters
    names: TopicNames = field(default_factory=TopicNames)
    storage: Storage | None = None
    only_fused: bool = False
    video: Path | None = None
    contact_sheet: Path | None = None
    make_fuser: MakeFuser = load_fuser
    chunk_pairs: int = CHUNK_PAIRS

    @property
    def preview_width(self) -> int:
        return PREVIEW_WIDTH if self.video or self.contact_sheet else 0


class BagRun:
    """One bag on its way.

    Attributes:
        report: what became of its images.
        is_done: the result is written, or there is none because no pair was fused.
    """

    def __init__(self, number: int, source: Path, output: Path, settings: BagSettings, tell: Teller) -> None:
        """Open the bag once, and the folder of its chunks.

        Args:
            number: among the bags of the command.
            source: the bag.
            output: folder to write, which must not exist.
            settings: how.
            tell: takes lines about what is wrong.

        Raises:
            BagError: no bag, or no cameras in it.
            ValueError: the chunks that are there were made with other settings.
            OSError: the folder cannot be made.
        """
        self.number = number
        self.source = source
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self.is_done = False
        self._settings = settings
        with self._open() as bag:
            topics = find_topics(bag, settings.names)
            self.report = BagReport(source, topics.visible.name, topics.infrared.name, tell)
            self.report.damaged(bag.damage)
            self.expected = min(topics.visible.count, topics.infrared.count)
            self._storage: Storage = settings.storage or bag.storage or "mcap"
            self._names = topics.names
        self._outcomes: dict[int, ChunkOutcome] = {}
        self._planned: list[Path] | None = None
        self._claim_folder(topics)

    def chunks(self) -> Iterator[Chunk]:
        """Read the bag and yield the chunks that are not there yet."""
        planned: list[Path] = []
        with self._open() as bag:
            topics = find_topics(bag, self._settings.names)
            pairing = BagPairing(bag, topics, self._settings.parameters, self.report.reject)
            planner = PairPlanner(pairing, self._settings.parameters.gain())
            pairs = iter(planner)
            while chunk := tuple(islice(pairs, self._settings.chunk_pairs)):
                file = self.folder / f"chunk-{len(planned):06d}.mcap"
                planned.append(file)
                number = len(planned) - 1
                if file.exists():
                    self.note(read_outcome(file))
                else:
                    # Workers need not have this working directory.
                    source, output = self.source.absolute(), file.absolute()
                    yield Chunk(self.number, number, source, self._names, chunk, output)
            self.report.planned(pairing, planner)
        self._planned = planned

    def note(self, outcome: ChunkOutcome) -> None:
        """Take the outcome of a chunk."""
        self._outcomes[outcome.number] = outcome
        self.report.note(outcome)

    @property
    def is_fused(self) -> bool:
        """All chunks are there."""
        return self._planned is not None and len(self._outcomes) == len(self._planned)

    def finish(self, progress: Callable[[int], Callable[[], object]]) -> None:
        """Join the chunks to the result and remove them; where no pair was fused there is no result.

        Args:
            progress: given the number of messages, returns what is called for every one of them.
        """
        assert self._planned is not None
        if self.report.published:
            self._join(self._planned, progress)
        shutil.rmtree(self.folder)
        self.is_done = True

    def _join(self, chunks: list[Path], progress: Callable[[int], Callable[[], object]]) -> None:
        new = self.folder / "joined" / self.output.name
        shutil.rmtree(new.parent, ignore_errors=True)
        new.parent.mkdir()
        settings, outcomes = self._settings, list(self._outcomes.values())
        with self._open() as bag, ExitStack() as stack:
            sinks: list[Any] = []
            if settings.video is not None:
                sinks.append(Video(stack.enter_context(replacing(settings.video))))
            if settings.contact_sheet is not None:
                sheet = stack.enter_context(replacing(settings.contact_sheet))
                sinks.append(ContactSheet(sheet, self.report.published))
            step = progress(message_count(bag, outcomes, settings.only_fused))
            notice = self.report.notice
            Joining(bag, chunks, self._storage, settings.only_fused, sinks, notice, step).write(new)
            for sink in sinks:
                sink.close()
        os.rename(new, self.output)

    def _open(self) -> Bag:
        return Bag(self.source, accept_damage=True)

    def _claim_folder(self, topics: CameraTopics) -> None:
        """Make the folder of the chunks, or check that what is there was made with the same settings."""
        files = sorted(self.source.iterdir()) if self.source.is_dir() else [self.source]
        weights = Path(self._settings.parameters.weights)
        settings = {
            "bag": {str(file.resolve()): file.stat().st_size for file in files},
            "topics": [topics.visible.name, topics.infrared.name, *(t.name for _, t in topics.infos)],
            "parameters": asdict(self._settings.parameters),
            "weights": weights.stat().st_mtime_ns if weights.is_file() else None,
            "preview": self._settings.preview_width,
            "chunk": self._settings.chunk_pairs,
        }
        text = json.dumps(settings, indent=2)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / SETTINGS
        has_chunks = any(self.folder.glob("chunk-*"))
        if has_chunks and not (file.exists() and file.read_text() == text):
            raise ValueError(
                f"expected the settings that {self.folder} was begun with ({SETTINGS} there), got others: "
                "remove that folder, or take the same settings"
            )
        with replacing(file) as temporary:
            temporary.write_text(text)


def fuse_bags(
    runs: Sequence[BagRun],
    settings: BagSettings,
    place: Place,
    progress: Callable[[BagRun, int], Callable[[], object]],
) -> Iterator[BagRun]:
    """Fuse bags: all their chunks at a place, in any order, and each bag joined here once it is complete.

    Args:
        runs: the bags.
        settings: how.
        place: where.
        progress: makes what is called for every message that is written.

    Returns:
        The bag of each chunk that was fused, as that happens; nothing happens unless it is taken.

    Raises:
        BagError, OSError, TaskError: the work cannot go on; what was done is kept.
    """

    def tasks() -> Iterator[Chunk]:
        for run in runs:
            yield from run.chunks()

    start = FuseChunks(settings.parameters, settings.preview_width, settings.make_fuser)
    return _take(run_tasks(tasks(), start, place), runs, progress)


def _take(
    outcomes: Iterator[ChunkOutcome],
    runs: Sequence[BagRun],
    progress: Callable[[BagRun, int], Callable[[], object]],
) -> Iterator[BagRun]:
    for outcome in outcomes:
        run = runs[outcome.run]
        run.note(outcome)
        yield run
        _finish_all(runs, progress)
    _finish_all(runs, progress)


def _finish_all(runs: Sequence[BagRun], progress: Callable[[BagRun, int], Callable[[], object]]) -> None:
    """Write the bags whose chunks are all there."""
    for run in runs:
        if run.is_fused and not run.is_done:
            run.finish(lambda total, run=run: progress(run, total))  # type: ignore[misc]


def check_outputs(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Raise BagError where a result would lie in its source, or two at one place."""
    for source, output in pairs:
        if output.resolve() == source.resolve() or source.resolve() in output.resolve().parents:
            raise BagError(f"expected an output outside {source}, got {output}: choose another one")
    if len({output for _, output in pairs}) < len(pairs):
        raise BagError("expected bags of different names, got two of one name: fuse them one by one")
