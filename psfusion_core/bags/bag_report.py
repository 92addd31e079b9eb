"""What became of the images of a bag, in the words of the node's diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from psfusion_core.bags.bag_pairing import BagPairing, CameraReport
from psfusion_core.bags.chunk_fusing import ChunkOutcome
from psfusion_core.bags.chunks import PairPlanner
from psfusion_core.cameras.stamped import Camera

Teller: TypeAlias = Callable[[str], object]
"""Takes a line for the user."""

DIFFERENT = 20
"""Reasons that are told; what a bag says must not fill the screen."""


class BagReport:
    """Counts, and lines about what is wrong, each told once.

    Attributes:
        published: pairs fused.
        rejected: pairs that cannot be used.
        failed: pairs that the engine failed on.
        damage: why the bag could not be read to its end, empty where it could.
    """

    def __init__(self, bag: Path, visible: str, infrared: str, tell: Teller) -> None:
        self.bag = bag
        self.published = self.rejected = self.failed = 0
        self.damage = ""
        self._topics: dict[Camera, str] = {"visible": visible, "infrared": infrared}
        self._cameras: dict[Camera, CameraReport] = {}
        self._tell = tell
        self._told: set[str] = set()

    @property
    def taken(self) -> int:
        """Pairs of which it is known what became of them."""
        return self.published + self.rejected + self.failed

    @property
    def is_complete(self) -> bool:
        """Pairs were fused, and nothing was left out but images without a partner, which are no fault."""
        images = sum(camera.rejected for camera in self._cameras.values())
        return self.published > 0 and not (images or self.rejected or self.failed or self.damage)

    def reject(self, camera: Camera, reason: str) -> None:
        """Take note of an image that cannot be used."""
        self.notice(f"{self._topics[camera]} of {self.bag}: image dropped: {reason}")

    def note(self, outcome: ChunkOutcome) -> None:
        """Take the outcome of a chunk."""
        self.published += outcome.published
        self.rejected += outcome.rejected
        self.failed += outcome.failed
        for reason in outcome.reasons:
            self.notice(f"{self.bag}: pair dropped: {reason}")

    def planned(self, pairing: BagPairing, planner: PairPlanner) -> None:
        """Take what pairing found out, at its end."""
        self.rejected += planner.rejected
        for reason in planner.reasons:
            self.notice(f"{self.bag}: pair dropped: {reason}")
        self._cameras = pairing.reports
        self.damaged(pairing.damage)

    def damaged(self, damage: str) -> None:
        """Take note of damage; empty for none."""
        if damage:
            self.damage = damage
            self.notice(f"{self.bag} is damaged, what can be read is fused: {damage}")

    def notice(self, line: str) -> None:
        """Tell something, once, and not too much of it."""
        if line not in self._told and len(self._told) < DIFFERENT:
            self._told.add(line)
            self._tell(line)

    def lines(self) -> Iterator[str]:
        """Yield the counts of what happened; what never did is left out."""
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
