"""What happened while the recorder listened: pairs, outputs and latency, from stamps and arrivals alone."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from psfusion_core.bags.bag_reader import Bag
from psfusion_core.cameras.serialised_stamp import stamp_of_serialised
from psfusion_ros.record.spool import INPUTS, OUTPUTS

PAIR_TOLERANCE = 50_000_000
"""Stamps of a pair differ by at most so many nanoseconds: the default of the node."""

FOLDERS = {
    "visible/image": "visible",
    "infrared/image": "infrared",
    "fused/image": "fused",
    "semantic/mask": "mask",
    "semantic/overlay": "overlay",
}
"""Where the images of a topic go."""


@dataclass(frozen=True)
class Shot:
    """One fused pair: stamp of the visible image and of all outputs, infrared stamp, latency; nanoseconds."""

    stamp: int
    infrared_stamp: int
    latency: int

    @property
    def name(self) -> str:
        return f"{self.stamp // 10**9}_{self.stamp % 10**9:09d}"


@dataclass(frozen=True)
class Timeline:
    """What happened, from stamps and times of arrival alone.

    Attributes:
        pairs: stamps of visible images with an infrared one within the tolerance.
        rate: visible images per second, as they arrived.
        shots: pairs with all their output images, in order of stamp.
        incomplete: stamps with some of the outputs, and which ones are missing.
    """

    pairs: list[int]
    rate: float
    shots: list[Shot]
    incomplete: dict[int, list[str]]

    def summary(self) -> str:
        """Return the figures in a line."""
        rate = f" at {self.rate:.1f} Hz" if len(self.pairs) > 1 else ""
        line = f"{len(self.pairs)} pairs in{rate}, {len(self.shots)} fused"
        if self.shots:
            latency = median(shot.latency for shot in self.shots) / 1e6
            line += f" ({len(self.shots) / len(self.pairs):.0%}), median latency {latency:.0f} ms"
        if self.incomplete:
            line += f", {len(self.incomplete)} with outputs missing"
        return line


def read_timeline(bag: Path) -> Timeline:
    """Read stamps and times of arrival from a bag that `Spool` wrote."""
    arrivals: dict[str, dict[int, int]] = {topic: {} for topic in (*INPUTS, *OUTPUTS)}
    with Bag(bag) as reader:
        for topic, arrival, data in reader.messages(reader.topics):
            arrivals[topic.name].setdefault(stamp_of_serialised(data), arrival)
    visible, fused = arrivals["visible/image"], arrivals["fused/image"]
    partners = _nearest(sorted(visible), sorted(arrivals["infrared/image"]))
    with_output = sorted({stamp for topic in OUTPUTS for stamp in arrivals[topic]})
    # The camera info can only be republished where the camera sends one.
    expected = [topic for topic in OUTPUTS if arrivals[topic] or topic != "fused/camera_info"]
    missing = {stamp: [topic for topic in expected if stamp not in arrivals[topic]] for stamp in with_output}
    return Timeline(
        pairs=sorted(partners),
        rate=1e9 / median_step(list(visible.values())),
        shots=[
            Shot(stamp, partners[stamp], fused[stamp] - visible[stamp])
            for stamp in with_output
            if stamp in partners and not FOLDERS.keys() & missing[stamp]
        ],
        incomplete={stamp: topics for stamp, topics in missing.items() if topics},
    )


def median_step(times: list[int]) -> float:
    """Return the median difference of successive times, nanoseconds; a tenth of a second without any."""
    return max(1.0, median([b - a for a, b in pairwise(times)] or [100_000_000]))


def _nearest(stamps: list[int], others: list[int]) -> dict[int, int]:
    """Map every stamp that has another one within the tolerance to the nearest one."""
    partners = {}
    for stamp in stamps:
        at = bisect_left(others, stamp)
        near = min(others[max(0, at - 1) : at + 1], key=lambda other: abs(other - stamp), default=None)
        if near is not None and abs(near - stamp) <= PAIR_TOLERANCE:
            partners[stamp] = near
    return partners
