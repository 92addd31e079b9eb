"""Finds pairs, outputs and latencies in a recorded bag, from stamps and times of arrival alone."""

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
"""Largest difference of the stamps of a pair, ns: the default of the node."""

FOLDERS = {
    "visible/image": "visible",
    "infrared/image": "infrared",
    "fused/image": "fused",
    "semantic/mask": "mask",
    "semantic/overlay": "overlay",
}
"""The folder for the images of each topic."""


@dataclass(frozen=True)
class Shot:
    """One fused pair: stamp of the visible image and all outputs, infrared stamp and latency; nanoseconds."""

    stamp: int
    infrared_stamp: int
    latency: int

    @property
    def name(self) -> str:
        return f"{self.stamp // 10**9}_{self.stamp % 10**9:09d}"


@dataclass(frozen=True)
class Timeline:
    """What happened while the recorder ran.

    Attributes:
        pairs: Stamps of the visible images that have an infrared image within the tolerance.
        rate: Visible images per second, by their arrival.
        shots: Pairs with all their output images, in order of stamp.
        incomplete: Stamps for which some of the outputs are missing, with the missing topics.
    """

    pairs: list[int]
    rate: float
    shots: list[Shot]
    incomplete: dict[int, list[str]]

    def summary(self) -> str:
        """Return the figures in one line."""
        rate = f" at {self.rate:.1f} Hz" if len(self.pairs) > 1 else ""
        line = f"{len(self.pairs)} pairs in{rate}, {len(self.shots)} fused"
        if self.shots:
            latency = median(shot.latency for shot in self.shots) / 1e6
            line += f" ({len(self.shots) / len(self.pairs):.0%}), median latency {latency:.0f} ms"
        if self.incomplete:
            line += f", {len(self.incomplete)} with outputs missing"
        return line


def read_timeline(bag: Path) -> Timeline:
    """Read the timeline of a bag that `Spool` wrote."""
    arrivals: dict[str, dict[int, int]] = {topic: {} for topic in (*INPUTS, *OUTPUTS)}
    with Bag(bag) as reader:
        for topic, arrival, data in reader.messages(reader.topics):
            arrivals[topic.name].setdefault(stamp_of_serialised(data), arrival)
    visible, fused = arrivals["visible/image"], arrivals["fused/image"]
    partners = _nearest(sorted(visible), sorted(arrivals["infrared/image"]))
    with_output = sorted({stamp for topic in OUTPUTS for stamp in arrivals[topic]})
    # The node publishes camera_info only if the camera does.
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
    """Return the median difference of successive times, ns; 0.1 s if there are fewer than two."""
    return max(1.0, median([b - a for a, b in pairwise(times)] or [100_000_000]))


def _nearest(stamps: list[int], others: list[int]) -> dict[int, int]:
    """Map every stamp to the nearest of the others, if that is within the tolerance."""
    partners = {}
    for stamp in stamps:
        at = bisect_left(others, stamp)
        near = min(others[max(0, at - 1) : at + 1], key=lambda other: abs(other - stamp), default=None)
        if near is not None and abs(near - stamp) <= PAIR_TOLERANCE:
            partners[stamp] = near
    return partners
