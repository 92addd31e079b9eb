"""Image pairs of a bag, read without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.bags.bag_pairing import BagPairing, read_pairs
from psfusion_core.bags.bag_reader import Bag, BagError
from psfusion_core.bags.topics import CameraTopics
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.fusion.fusion_parameters import FusionParameters

PARAMETERS = FusionParameters(frozen_after=0.0)
"""Pairs are those of the node's defaults; a board that is held still may give the same image again."""


def read_bag_pairs(
    bag: Bag, cameras: CameraTopics, limit: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]]:
    """Read pairs of a bag, evenly spread over its time; only these are decoded.

    Args:
        bag: open.
        cameras: its topics of Image or CompressedImage, see `find_topics`.
        limit: largest number of pairs.

    Yields:
        (H, W, 3) uint8 RGB and (h, w) uint8 or uint16.

    Raises:
        BagError: the bag is damaged further in, or has no such pairs.
        FrameError: an image does not decode.
    """
    pairing = BagPairing(bag, cameras, PARAMETERS)
    pairs = [(pair.visible.payload.key, pair.infrared.payload.key) for pair in pairing]
    if pairing.damage:
        raise BagError(pairing.damage)
    if not pairs:
        raise BagError(
            f"expected images on {cameras.visible.name} and {cameras.infrared.name} in {bag.path} whose "
            f"stamps differ by at most {PARAMETERS.tolerance_ms:g} ms, got none: name other topics "
            "(--visible-topic, --infrared-topic), or set the clocks of the cameras alike"
        )
    chosen = np.linspace(0, len(pairs) - 1, min(limit, len(pairs))).round().astype(int)
    for visible, infrared in read_pairs(bag, cameras, [pairs[number] for number in chosen]):
        yield to_visible(to_frame(visible)), to_infrared(to_frame(infrared))
