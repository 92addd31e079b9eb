"""Plans chunks of pairs, which workers can fuse independently of each other with the same result.

Pairing and the range of the thermal gain depend on earlier frames. They are computed here, in one pass over
the bag, so that no chunk needs another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psfusion_core.bags.bag_pairing import BagPairing, ImageKey, RecordedImage
from psfusion_core.bags.camera_topics import TopicNames
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.stamped import Camera, StampedPair
from psfusion_core.cameras.thermal_gain import GainSettings, GreyScale, ThermalGain

CHUNK_PAIRS = 50
"""Pairs in a chunk. A killed run loses one chunk, seconds of work; it has 100 MB of results at 640 x 480."""

REASONS = 5
"""Limit on the different reasons for dropped pairs that are kept."""


@dataclass(frozen=True)
class PlannedPair:
    """Everything a worker needs to fuse a pair.

    Attributes:
        visible, infrared: The keys of the two messages.
        time: The recording time of the results, in ns: the time when both images had arrived.
        scale: The grey scale of the infrared image; None if the range is fixed.
        infos: The camera_info of the cameras that have one, as CDR with an empty header.
    """

    visible: ImageKey
    infrared: ImageKey
    time: int
    scale: GreyScale | None
    infos: dict[Camera, bytes]


@dataclass(frozen=True)
class Chunk:
    """Consecutive pairs of a bag: the task of a worker.

    Attributes:
        run: Index of the bag among the bags of the command.
        number: Index of the chunk in its bag.
        bag: The bag to read.
        topics: The names of its image topics.
        pairs: The pairs to fuse, in order.
        output: The file to write.
    """

    run: int
    number: int
    bag: Path
    topics: TopicNames
    pairs: tuple[PlannedPair, ...]
    output: Path


class PairPlanner:
    """Turns the pairs of a bag into planned pairs.

    Attributes:
        rejected: Number of pairs that the thermal gain cannot follow, because an image does not decode.
        reasons: The first few different reasons for that.
    """

    def __init__(self, pairing: BagPairing, gain: GainSettings) -> None:
        self.rejected = 0
        self.reasons: list[str] = []
        self._pairing = pairing
        self._gain = ThermalGain(gain)
        self._has_memory = gain.fixed_range is None

    def __iter__(self) -> Iterator[PlannedPair]:
        """Yield the pairs in order. Iterate only once."""
        infos: dict[Camera, bytes] = {}
        for pair in self._pairing:
            try:
                scale = self._follow(pair) if self._has_memory else None
            except FrameError as error:
                self.rejected += 1
                if str(error) not in self.reasons and len(self.reasons) < REASONS:
                    self.reasons.append(str(error))
                continue
            if infos != self._pairing.infos:  # otherwise keep the same object, so that it is pickled once
                infos = dict(self._pairing.infos)
            keys = pair.visible.payload.key, pair.infrared.payload.key
            time = max(pair.visible.arrival, pair.infrared.arrival)
            yield PlannedPair(*keys, time, scale, infos)

    def _follow(self, pair: StampedPair[RecordedImage]) -> GreyScale:
        """Return the grey scale for a pair. Only pairs that decode change its range."""
        infrared = to_frame(pair.infrared.payload.message)
        if infrared.image.dtype.itemsize == 2:
            to_frame(pair.visible.payload.message)
        return self._gain.follow(infrared.image)
