"""Draws edges of the infrared over the visible image, before and after registration."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from psfusion_core.fusion.contact_sheet import side_by_side, stack
from psfusion_core.registration.alignment import ImagePairs
from psfusion_core.registration.homography import HomographyRegistration
from psfusion_core.registration.infrared_warp import InfraredWarp
from psfusion_core.registration.pixel_map import Registration, Size

EDGE_SHARE = 12.0
"""Percentage of the pixels that are drawn as edges."""

COLOR = (255, 64, 0)
SCENES = 4


def draw_before_after(pairs: ImagePairs, registration: Registration) -> npt.NDArray[np.uint8]:
    """Draw up to four pairs: on the left the infrared scaled to the visible image, on the right registered.

    Args:
        pairs: Visible images (H, W, 3) uint8 RGB and infrared images (h, w) uint8, each of one size.
        registration: The registration for these sizes.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    height, width = pairs[0][0].shape[:2]
    infrared_size: Size = (pairs[0][1].shape[1], pairs[0][1].shape[0])
    across, down = infrared_size[0] / width, infrared_size[1] / height
    scaled = (across, 0.0, (across - 1.0) / 2.0, 0.0, down, (down - 1.0) / 2.0, 0.0, 0.0, 1.0)
    warps = {
        name: InfraredWarp(chosen.pixel_map((width, height), infrared_size), infrared_size, "cpu")
        for name, chosen in (("before", HomographyRegistration(scaled)), ("after", registration))
    }
    numbers = np.linspace(0, len(pairs) - 1, min(SCENES, len(pairs))).round().astype(int)
    chosen_pairs = [pairs[number] for number in numbers]
    return stack(
        [
            side_by_side(
                {name: _edges_over(visible, infrared, warp) for name, warp in warps.items()}, width, height
            )
            for visible, infrared in chosen_pairs
        ]
    )


def _edges_over(
    visible: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8], warp: InfraredWarp
) -> npt.NDArray[np.uint8]:
    heat = torch.from_numpy(infrared.astype(np.float32))[None, None]
    placed = cv2.GaussianBlur(warp(heat)[0, 0].numpy(), (0, 0), 1.0)
    strength = np.hypot(cv2.Sobel(placed, cv2.CV_32F, 1, 0), cv2.Sobel(placed, cv2.CV_32F, 0, 1))
    strength *= warp.coverage[0, 0].numpy()
    picture = visible.copy()
    picture[strength > np.percentile(strength, 100.0 - EDGE_SHARE)] = COLOR
    return picture
