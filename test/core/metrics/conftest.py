"""Image triples that every metric is measured on twice: by the project and by an independent derivation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
SIZES = [(64, 80), (65, 81), (96, 128), (70, 77)]


def levels(image: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(image + 0.5), 0, 255).astype(np.uint8)


def scene(random: np.random.Generator, height: int, width: int, night: bool) -> tuple[np.ndarray, np.ndarray]:
    """A visible image of texture and lamps, and an infrared one of smooth ground with warm blobs."""
    coarse = zoom(random.uniform(0, 1, (4, 5)), (height / 4, width / 5), order=1)
    texture = gaussian_filter(random.normal(0, 1, (height, width)), 1.2)
    visible = (25 if night else 120) + 60 * coarse + (15 if night else 60) * texture
    infrared = 70 + 40 * coarse[::-1] + random.normal(0, 2, (height, width))
    for _ in range(6):
        y, x = random.integers(0, height - 12), random.integers(0, width - 8)
        (visible if random.uniform() < 0.5 else infrared)[y : y + 12, x : x + 8] += 190  # lamps, warm people
    visible[-9:] = 16  # a flat strip, as of a bonnet
    infrared[-9:] = 90
    return levels(visible), levels(infrared)


def fuse(how: int, visible: np.ndarray, infrared: np.ndarray, random: np.random.Generator) -> np.ndarray:
    v, r = visible.astype(float), infrared.astype(float)
    mean = (v + r) / 2
    return levels(
        [
            mean,
            np.maximum(v, r),
            v,
            mean + 2 * (mean - gaussian_filter(mean, 2)),
            0.8 * v + 0.4 * r + random.normal(0, 6, v.shape),
            255 - mean,
        ][how]
    )


@pytest.fixture(scope="session")
def triples() -> list[Triple]:
    """Twelve of (fused, visible, infrared) uint8, by night and day, of even and odd sizes."""
    made = []
    for index in range(12):
        random = np.random.default_rng(index)
        visible, infrared = scene(random, *SIZES[index % len(SIZES)], night=index % 2 == 0)
        made.append((fuse(index // 2, visible, infrared, random), visible, infrared))
    return made
