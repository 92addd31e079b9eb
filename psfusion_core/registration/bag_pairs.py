"""Image pairs of a bag, read without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from psfusion_core.bags.pairing import BagPairing, read_pairs
from psfusion_core.bags.reading import Bag, BagError
from psfusion_core.bags.topics import TopicNames, find_topics
from psfusion_core.stream.encodings import to_infrared, to_visible
from psfusion_core.stream.messages import to_frame
from psfusion_core.stream.parameters import FusionParameters

PARAMETERS = FusionParameters(frozen_after=0.0)
"""Pairs are those of the node's defaults; a board that is held still may give the same image again."""


class Topics(NamedTuple):
    """Names of the two image topics."""

    visible: str = "/visible/image"
    infrared: str = "/infrared/image"


def read_bag_pairs(
    path: Path, topics: Topics, limit: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]]:
    """Read pairs of a bag, evenly spread over its time; only these are decoded.

    Args:
        path: of the bag (rosbag2 with sqlite3 or mcap, or ROS 1).
        topics: of Image or CompressedImage.
        limit: largest number of pairs.

    Yields:
        (H, W, 3) uint8 RGB and (h, w) uint8 or uint16.

    Raises:
        BagError: no intact bag, one that names files outside its folder, or without such pairs.
        FrameError: an image does not decode.
        ImportError: the package rosbags is missing.
    """
    with Bag(path) as bag:
        cameras = find_topics(bag, TopicNames(topics.visible, topics.infrared))
        pairing = BagPairing(bag, cameras, PARAMETERS)
        pairs = [(pair.visible.payload.key, pair.infrared.payload.key) for pair in pairing]
        if pairing.damage:
            raise BagError(pairing.damage)
        if not pairs:
            raise BagError(
                f"expected images on {topics.visible} and {topics.infrared} in {path} whose stamps differ by "
                f"at most {PARAMETERS.tolerance_ms:g} ms, got none: check the topics"
            )
        chosen = np.linspace(0, len(pairs) - 1, min(limit, len(pairs))).round().astype(int)
        for visible, infrared in read_pairs(bag, cameras, [pairs[number] for number in chosen]):
            yield to_visible(to_frame(visible)), to_infrared(to_frame(infrared))
