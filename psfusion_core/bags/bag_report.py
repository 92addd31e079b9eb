"""Counts what happened to the images of a bag, in the words of the node's diagnostics."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from psfusion_core.bags.bag_pairing import BagPairing, CameraReport
from psfusion_core.bags.chunk_fusing import ChunkOutcome
from psfusion_core.bags.chunk_planning import PairPlanner
from psfusion_core.cameras.stamped import Camera

MOST_NOTICES = 20
"""Limit on the lines about problems, so that a bad bag does not fill the screen."""


class BagReport:
    """Counts pairs, and prints each problem once, on standard error.

    Attributes:
        published: Number of fused pairs.
        rejected: Number of pairs that cannot be used.
        failed: Number of pairs on which the engine failed.
        damage: Why the bag could not be read to its end; empty if it could.
        notices: The lines that were printed.
    """

    def __init__(self, bag: Path, visible: str, infrared: str) -> None:
        self.bag = bag
        self.published = self.rejected = self.failed = 0
        self.damage = ""
        self.notices: list[str] = []
        self._topics: dict[Camera, str] = {"visible": visible, "infrared": infrared}
        self._cameras: dict[Camera, CameraReport] = {}

    @property
    def finished(self) -> int:
        return self.published + self.rejected + self.failed

    @property
    def is_complete(self) -> bool:
        """Whether pairs were fused and no problem occurred. Images without a partner are no problem."""
        images = sum(camera.rejected for camera in self._cameras.values())
        return self.published > 0 and not (images or self.rejected or self.failed or self.damage)

    def reject(self, camera: Camera, reason: str) -> None:
        self.notice(f"{self._topics[camera]} of {self.bag}: image dropped: {reason}")

    def add_chunk(self, outcome: ChunkOutcome) -> None:
        self.published += outcome.published
        self.rejected += outcome.rejected
        self.failed += outcome.failed
        for reason in outcome.reasons:
            self.notice(f"{self.bag}: pair dropped: {reason}")

    def add_pairing(self, pairing: BagPairing, planner: PairPlanner) -> None:
        self.rejected += planner.rejected
        for reason in planner.reasons:
            self.notice(f"{self.bag}: pair dropped: {reason}")
        self._cameras = pairing.reports
        self.add_damage(pairing.damage)

    def add_damage(self, damage: str) -> None:
        """Report damage; an empty text means none."""
        if damage:
            self.damage = damage
            self.notice(f"{self.bag} is damaged, what can be read is fused: {damage}")

    def notice(self, line: str) -> None:
        """Print a line, unless it was printed before or there were too many."""
        if line not in self.notices and len(self.notices) < MOST_NOTICES:
            self.notices.append(line)
            tqdm.write(line, file=sys.stderr)

    def lines(self) -> Iterator[str]:
        """Yield the counts as text; counts of zero are left out."""
        others = {"rejected": self.rejected, "failed": self.failed}
        parts = [
            f"{self.published} pairs fused",
            *(f"{count} {name}" for name, count in others.items() if count),
        ]
        yield ", ".join(parts) + ("" if self.published else ": no bag was written")
        for name, camera in self._cameras.items():
            counts = vars(camera.counts) | {"received": camera.received, "rejected": camera.rejected}
            words = ", ".join(f"{word} {count}" for word, count in counts.items() if count)
            yield f"{name} ({self._topics[name]}): {words or 'received 0'}"
