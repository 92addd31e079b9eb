"""Warping the infrared image to the visible image, on the device of the network."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.registration.pixel_map import Size

FEATHER = 1.0 / 15.0
"""Width of the transition at the edge of the infrared field of view, in shorter sides of the image."""


class InfraredWarp:
    """Samples infrared images at the positions of a pixel map, which is prepared only once.

    Args:
        pixel_map: (H, W, 2) x and y in the infrared image of each visible pixel; NaN if there is none.
        infrared_size: Width and height of the infrared images.
        device: The device of the images.

    Attributes:
        coverage: (1, 1, H, W) float32, 1 where the infrared camera sees the visible pixel, else 0.
        weight: (1, 1, H, W) float32 in [0, 1], 0 outside the coverage, rising smoothly to 1 inside.
    """

    def __init__(
        self, pixel_map: npt.NDArray[np.float32], infrared_size: Size, device: torch.device | str
    ) -> None:
        size = np.array(infrared_size, np.float32)
        with np.errstate(invalid="ignore"):
            # An image extends half a pixel beyond the centres of its outermost pixels.
            seen = np.all((pixel_map >= -0.5) & (pixel_map <= size - 0.5), axis=2)
        self.infrared_size = infrared_size
        # grid_sample places the edges of the image at -1 and 1; 2 is outside.
        grid = np.where(np.isnan(pixel_map), 2.0, (2.0 * pixel_map + 1.0) / size - 1.0).clip(-2.0, 2.0)
        self._grid = torch.from_numpy(grid.astype(np.float32))[None].to(device)
        self.coverage = _plane(seen, device)
        self.weight = _plane(feather(seen), device)

    def __call__(self, infrared: Tensor) -> Tensor:
        """Warp (1, 1, h, w) to (1, 1, H, W); outside the infrared image its border is repeated."""
        width, height = self.infrared_size
        if infrared.shape != (1, 1, height, width):
            raise ValueError(
                f"expected an infrared image (1, 1, {height}, {width}), got {tuple(infrared.shape)}: "
                "make a warp for this size"
            )
        return F.grid_sample(infrared, self._grid, padding_mode="border", align_corners=False)


def feather(seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return weights (H, W) in [0, 1]: 0 where not seen, rising smoothly to 1 inside.

    The edge of the visible image has no transition: if every pixel is seen, all weights are 1.
    """
    if seen.all():
        return np.ones(seen.shape, np.float32)
    distance = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 5)
    ramp = np.clip(distance / (FEATHER * min(seen.shape)), 0.0, 1.0)
    return (ramp * ramp * (3.0 - 2.0 * ramp)).astype(np.float32)


def _plane(image: npt.NDArray[np.generic], device: torch.device | str) -> Tensor:
    return torch.from_numpy(image.astype(np.float32))[None, None].to(device)
