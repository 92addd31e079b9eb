"""A long bag takes no more memory than a short one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_bags import average, messages, write_bag

from psfusion_core.bags import chunk_joining
from psfusion_core.bags.bag_reader import Storage
from psfusion_core.bags.bag_run import BagRun, BagSettings, fuse_bags
from psfusion_core.distribution import Place
from psfusion_core.fusion.fusion_parameters import FusionParameters

FRAMES = 2500
MEBIBYTE = 2**20


def watch(bag: Path, output: Path, found: multiprocessing.Queue[list[int]]) -> None:
    """Fuse a bag and tell the resident memory after each chunk, and after each hundredth of the writing."""
    settings = BagSettings(FusionParameters(), make_fuser=average, chunk_pairs=50)
    run = BagRun(0, bag, output, settings)
    resident: list[int] = []

    def watched(messages: Iterable[Any], **bar: object) -> Iterator[Any]:
        for written, message in enumerate(messages, 1):
            yield message
            if written % 200 == 0:
                resident.append(psutil.Process().memory_info().rss)

    chunk_joining.tqdm = watched  # it sees every message that is written
    for _ in fuse_bags([run], settings, Place()):
        resident.append(psutil.Process().memory_info().rss)
    assert run.report.published == FRAMES
    found.put(resident)


@pytest.mark.parametrize("storage", ["sqlite3", "mcap"])
def test_memory_stays_where_it_was_after_the_first_chunks(tmp_path: Path, storage: Storage) -> None:
    bag = write_bag(tmp_path / "bag", messages(FRAMES, bits=16), storage)
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    process = context.Process(target=watch, args=(bag, tmp_path / "out", found))
    process.start()
    resident = found.get()
    process.join()
    assert process.exitcode == 0
    chunks, writing = resident[: FRAMES // 50], resident[FRAMES // 50 :]
    assert max(chunks[5:]) - chunks[5] < 4 * MEBIBYTE
    assert len(writing) > 50
    assert max(writing[5:]) - writing[5] < 8 * MEBIBYTE
