"""A bag cut into chunks of pairs, each of which can be fused anywhere, by itself, with the same result.

What one frame passes on to the next, pairing and the range of the thermal gain, is worked out here, in one
pass over the bag; the chunks then need nothing of each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psfusion_core.bags.bag_pairing import BagPairing, ImageKey, RecordedImage
from psfusion_core.bags.topics import TopicNames
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.stamped import Camera, StampedPair
from psfusion_core.cameras.thermal_gain import GainSettings, GreyScale, ThermalGain

CHUNK_PAIRS = 50
"""Pairs of a chunk: seconds of work, which is what a killed run loses, and 100 MB of results at 640 x 480."""


REASONS = 5
"""Different reasons that are kept of why pairs were dropped."""


@dataclass(frozen=True)
class PlannedPair:
    """All that is needed to fuse a pair.

    Attributes:
        visible, infrared: which messages.
        time: of recording for the results, ns: when both images were there.
        scale: of the infrared; None where its range is fixed.
        infos: camera_info of the cameras that have one, CDR with an empty header.
    """

    visible: ImageKey
    infrared: ImageKey
    time: int
    scale: GreyScale | None
    infos: dict[Camera, bytes]


@dataclass(frozen=True)
class Chunk:
    """Consecutive pairs of a bag: a task.

    Attributes:
        run: number of the bag among those of the command.
        number: of the chunk.
        bag: to read.
        topics: of the images in it.
        pairs: in order.
        output: file to write.
    """

    run: int
    number: int
    bag: Path
    topics: TopicNames
    pairs: tuple[PlannedPair, ...]
    output: Path


class PairPlanner:
    """Makes planned pairs of pairs.

    Attributes:
        rejected: pairs that cannot be used, found out here because the gain would have to follow them.
        reasons: why, the first few different ones.
    """

    def __init__(self, pairing: BagPairing, gain: GainSettings) -> None:
        self.rejected = 0
        self.reasons: list[str] = []
        self._pairing = pairing
        self._gain = ThermalGain(gain)
        self._has_memory = gain.fixed_range is None

    def __iter__(self) -> Iterator[PlannedPair]:
        """Yield the pairs in order; once."""
        infos: dict[Camera, bytes] = {}
        for pair in self._pairing:
            try:
                scale = self._follow(pair) if self._has_memory else None
            except FrameError as error:
                self.rejected += 1
                if str(error) not in self.reasons and len(self.reasons) < REASONS:
                    self.reasons.append(str(error))
                continue
            if infos != self._pairing.infos:  # else the same object, which is pickled once
                infos = dict(self._pairing.infos)
            keys = pair.visible.payload.key, pair.infrared.payload.key
            time = max(pair.visible.arrival, pair.infrared.arrival)
            yield PlannedPair(*keys, time, scale, infos)

    def _follow(self, pair: StampedPair[RecordedImage]) -> GreyScale:
        """Return the scale for a pair, whose range moves on only with pairs that decode."""
        infrared = to_frame(pair.infrared.payload.message)
        if infrared.image.dtype.itemsize == 2:
            to_frame(pair.visible.payload.message)
        return self._gain.follow(infrared.image)
