"""Fuses whole bags chunk by chunk. If a run is killed, the next one continues from the finished chunks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from psfusion_core.bags.bag_pairing import BagPairing
from psfusion_core.bags.bag_reader import Bag, BagError, Storage
from psfusion_core.bags.bag_report import BagReport
from psfusion_core.bags.camera_topics import CameraTopics, TopicNames, find_topics
from psfusion_core.bags.chunk_fusing import ChunkOutcome, FuseChunks, MakeFuser, load_fuser
from psfusion_core.bags.chunk_joining import ChunkJoining, read_outcome
from psfusion_core.bags.chunk_planning import CHUNK_PAIRS, Chunk, PairPlanner
from psfusion_core.base.atomic_file import replacing
from psfusion_core.distribution import Place, run_tasks
from psfusion_core.fusion.contact_sheet import ContactSheet
from psfusion_core.fusion.fusion_parameters import FusionParameters
from psfusion_core.fusion.video import Video

PREVIEW_WIDTH = 400
"""Width of a panel in the video and the contact sheet, in pixels."""

SETTINGS = "settings.json"


@dataclass(frozen=True)
class BagSettings:
    """How bags are fused.

    Attributes:
        parameters: The parameters of the node.
        names: The topic names that the user gave.
        storage: The storage format of the results; None keeps that of each bag (mcap for ROS 1 bags).
        only_fused: Whether to leave out the topics of the source bag.
        video, contact_sheet: Files to draw the results into; None for none.
        make_fuser: Makes the fuser. Tests give one that needs no network.
        chunk_pairs: Number of pairs in a chunk.
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
    """One bag that is being fused.

    Attributes:
        report: Counts and problems of the bag.
        expected: About how many pairs the bag has.
        is_done: Whether the result is written, or there is none because no pair was fused.
    """

    def __init__(self, number: int, source: Path, output: Path, settings: BagSettings) -> None:
        """Read the topics of the bag, and create the folder of its chunks.

        Args:
            number: Index of the bag among the bags of the command.
            source: The bag to fuse.
            output: The folder to write, which must not exist.
            settings: How to fuse.

        Raises:
            BagError: The source is no bag, or the cameras are not found in it.
            ValueError: The existing chunks were made with other settings.
            OSError: The folder cannot be created.
        """
        self.number = number
        self.source = source
        self.output = output
        self.folder = output.with_name(f"{output.name}.partial")
        self.is_done = False
        self._settings = settings
        with self._open() as bag:
            topics = find_topics(bag, settings.names)
            self.report = BagReport(source, topics.visible.name, topics.infrared.name)
            self.report.add_damage(bag.damage)
            self.expected = min(topics.visible.count, topics.infrared.count)
            self._storage: Storage = settings.storage or bag.storage or "mcap"
            self._names = topics.names
        self._finished_chunks: set[int] = set()
        self._planned: list[Path] | None = None
        self._claim_folder(topics)

    def chunks(self) -> Iterator[Chunk]:
        """Read the bag and yield the chunks that are not finished yet."""
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
                    self.add(read_outcome(file))
                else:
                    # Absolute paths, because workers may have another working directory.
                    source, output = self.source.absolute(), file.absolute()
                    yield Chunk(self.number, number, source, self._names, chunk, output)
            self.report.add_pairing(pairing, planner)
        self._planned = planned

    def add(self, outcome: ChunkOutcome) -> None:
        self._finished_chunks.add(outcome.number)
        self.report.add_chunk(outcome)

    @property
    def is_fused(self) -> bool:
        return self._planned is not None and len(self._finished_chunks) == len(self._planned)

    def finish(self) -> None:
        """Join the chunks into the result and remove them. If no pair was fused, there is no result."""
        assert self._planned is not None
        if self.report.published:
            self._join(self._planned)
        shutil.rmtree(self.folder)
        self.is_done = True

    def _join(self, chunks: list[Path]) -> None:
        new = self.folder / "joined" / self.output.name
        shutil.rmtree(new.parent, ignore_errors=True)
        new.parent.mkdir()
        settings = self._settings
        with self._open() as bag, ExitStack() as stack:
            previews: list[Video | ContactSheet] = []
            if settings.video is not None:
                previews.append(Video(stack.enter_context(replacing(settings.video))))
            if settings.contact_sheet is not None:
                sheet = stack.enter_context(replacing(settings.contact_sheet))
                previews.append(ContactSheet(sheet, self.report.published))
            joining = ChunkJoining(bag, chunks, self._storage, settings.only_fused, previews, self.report)
            joining.write(new)
            for preview in previews:
                preview.close()
        os.rename(new, self.output)

    def _open(self) -> Bag:
        return Bag(self.source, accept_damage=True)

    def _claim_folder(self, topics: CameraTopics) -> None:
        """Create the folder of the chunks, or check that existing chunks were made with the same settings."""
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
                "remove that folder, or use the same settings"
            )
        with replacing(file) as temporary:
            temporary.write_text(text)


def fuse_bags(runs: Sequence[BagRun], settings: BagSettings, place: Place) -> Iterator[BagRun]:
    """Fuse bags. Workers fuse the chunks in any order; this process writes each bag that is complete.

    Args:
        runs: The bags to fuse.
        settings: How to fuse.
        place: Where the workers run.

    Returns:
        An iterator, which does the work while it is consumed. It yields the bag of every fused chunk.

    Raises:
        BagError, OSError, TaskError: The work cannot continue. Finished chunks are kept.
    """
    chunks = (chunk for run in runs for chunk in run.chunks())
    start = FuseChunks(settings.parameters, settings.preview_width, settings.make_fuser)
    return _write_finished(run_tasks(chunks, start, place), runs)


def _write_finished(outcomes: Iterator[ChunkOutcome], runs: Sequence[BagRun]) -> Iterator[BagRun]:
    for outcome in outcomes:
        run = runs[outcome.run]
        run.add(outcome)
        yield run
        _finish_fused(runs)
    _finish_fused(runs)


def _finish_fused(runs: Sequence[BagRun]) -> None:
    for run in runs:
        if run.is_fused and not run.is_done:
            run.finish()


def check_outputs(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Raise BagError if a result would lie inside its source, or if two results have the same path."""
    for source, output in pairs:
        if output.resolve() == source.resolve() or source.resolve() in output.resolve().parents:
            raise BagError(f"expected an output outside {source}, got {output}: choose another one")
    if len({output for _, output in pairs}) < len(pairs):
        raise BagError("expected bags of different names, got two of one name: fuse them one by one")
