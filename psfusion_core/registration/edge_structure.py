"""Edge structure: what visible and infrared images of a scene share, the places and directions of edges.

Contrast and its sign differ between the two bands, so the features keep neither. The gradient is divided by
the strength of its surroundings and projected onto a few directions modulo 180 degrees, as in the channel
features of orientated gradients (Ye et al., IEEE TGRS 57, 2019, 9059).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d, spatial_gradient
from torch import Tensor

DIRECTIONS = 4
SURROUNDINGS = 1.0 / 20.0
"""Standard deviation of the surroundings, in widths of the image."""

FLOOR = 0.5
"""Added to the strength of the surroundings, in its medians, so that noise in flat parts stays small."""


def structure(images: Tensor, valid: Tensor) -> Tensor:
    """Compute the features to compare.

    Args:
        images: (B, 1, H, W) in [0, 1].
        valid: (1 or B, 1, H, W), 1 where an image is valid, else 0.

    Returns:
        (B, DIRECTIONS, H, W) with local mean 0 and length 1 over each image; 0 where not valid.
    """
    width = images.shape[-1]
    smooth = blur(images, 1.0)
    gradient = spatial_gradient(smooth, mode="diff", order=1)[:, 0] * valid
    energy = blur(gradient.square().sum(dim=1, keepdim=True), width * SURROUNDINGS).sqrt()
    floor = FLOOR * energy.flatten(1).median(dim=1).values.view(-1, 1, 1, 1) + 1e-3
    gradient = gradient / (energy + floor)
    angles = torch.arange(DIRECTIONS) * (math.pi / DIRECTIONS)
    projected = torch.einsum("bkhw,kd->bdhw", gradient, torch.stack([angles.cos(), angles.sin()])).abs()
    # A strong edge has no more influence than a few weak edges.
    channels = blur(projected / (1.0 + gradient.norm(dim=1, keepdim=True)), 1.0)
    channels = (channels - blur(channels, width * SURROUNDINGS)) * valid
    return channels / (channels.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-9)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian with a standard deviation in pixels; borders are repeated."""
    size = 2 * round(3.0 * sigma) + 1
    return gaussian_blur2d(images, (size, size), (sigma, sigma), border_type="replicate")


def erode(mask: Tensor, radius: int) -> Tensor:
    """Shrink (B, 1, H, W) of 0 and 1 by a square; the border of the image counts as 0."""
    return -F.max_pool2d(F.pad(-mask, (radius,) * 4), 2 * radius + 1, stride=1)


def dead_border(infrared: Tensor) -> Tensor:
    """Return (1, 1, H, W), 1 where all infrared images (B, 1, H, W) are constant over 5 x 5 pixels.

    Undistorted or shifted infrared images have such borders, whose edges do not belong to the scene.
    """
    largest, smallest = (
        F.max_pool2d(sign * infrared, 5, stride=1, padding=2).amax(dim=0) for sign in (1, -1)
    )
    constant = (largest + smallest < 1e-6).float()[None]
    return F.max_pool2d(constant, 5, stride=1, padding=2)
