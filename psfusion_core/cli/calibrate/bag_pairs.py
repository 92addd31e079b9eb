"""Reads image pairs of a bag without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from psfusion_core.bags.bag_pairing import BagPairing, read_pairs
from psfusion_core.bags.bag_reader import Bag, BagError
from psfusion_core.bags.camera_topics import CameraTopics
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.fusion.fusion_parameters import FusionParameters

PARAMETERS = FusionParameters(frozen_after=0.0)
"""The node's defaults, but repeated images are allowed, because a board that is held still may give them."""


def read_bag_pairs(
    bag: Bag, cameras: CameraTopics, limit: int
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]]:
    """Read pairs of a bag, evenly spread over its time; only these are decoded.

    Args:
        bag: The open bag.
        cameras: The topics of the cameras (see `find_topics`).
        limit: The largest number of pairs.

    Yields:
        (H, W, 3) uint8 RGB and (h, w) uint8 or uint16.

    Raises:
        BagError: The bag is damaged, or has no pairs.
        FrameError: An image does not decode.
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
