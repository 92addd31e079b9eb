"""Street trees and hedges: trunks, branches and clumps of leaves."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.billboards import limb, sprite
from psfusion_core.simulation.foliage_textures import CROWN_VARIANTS
from psfusion_core.simulation.mesh import Surface
from psfusion_core.simulation.texture_library import texture

Records = list[npt.NDArray[np.void]]
_GREENS = ((0.20, 0.27, 0.07), (0.15, 0.23, 0.06), (0.26, 0.28, 0.07), (0.34, 0.22, 0.06))


def tree(
    rng: np.random.Generator, foot: tuple[float, float, float], air: float, scale: float
) -> tuple[Records, Records]:
    """A tree about 7 m tall times `scale`: its trunk and branches as limbs, its crown as sprites."""
    bark = Surface((0.10, 0.075, 0.055), texture("concrete"), temperature=air + 1.5, heat_scale=8.0)
    x, y, z = foot
    fork = y + scale * (2.2 + 0.5 * float(rng.random()))
    top = fork + scale * 2.0
    limbs = [limb(foot, (x, fork, z), (0.17 * scale, 0.12 * scale), bark, 0.0)]
    limbs.append(limb((x, fork, z), (x + 0.2, top, z), (0.12 * scale, 0.05 * scale), bark))
    green = _GREENS[int(rng.integers(len(_GREENS)))]
    sprites: Records = []
    count = 9
    for k in range(count):
        angle = 2.399963 * k + float(rng.random())
        reach = scale * (0.4 + 1.25 * math.sqrt((k + 0.5) / count))
        height = top + scale * (1.5 - 2.6 * k / count + 0.8 * float(rng.random()))
        center = (x + reach * math.cos(angle), height, z + reach * math.sin(angle))
        if k % 2 == 0:
            limbs.append(limb((x, fork, z), center, (0.07 * scale, 0.02 * scale), bark))
        size = scale * (1.25 + 0.55 * float(rng.random()))
        shade = 0.8 + 0.4 * float(rng.random())
        leaves = Surface(
            (green[0] * shade, green[1] * shade, green[2] * shade),
            texture(f"crown{rng.integers(CROWN_VARIANTS)}"), temperature=air + 0.3, heat_scale=7.0,
        )  # fmt: skip
        sprites.append(sprite(foot, center, (size * 1.1, size), leaves))
    for record in limbs:
        record["anchor"] = foot
    return limbs, sprites


def hedge(
    rng: np.random.Generator, points: list[tuple[float, float, float]], air: float, height: float
) -> Records:
    """A clump of hedge at each point of a row."""
    sprites: Records = []
    for foot in points:
        green = _GREENS[int(rng.integers(2))]
        tall = height * (0.9 + 0.25 * float(rng.random()))
        leaves = Surface(green, texture(f"hedge{rng.integers(2)}"), temperature=air - 0.2, heat_scale=7.0)
        center = (foot[0], foot[1] + tall / 2 - 0.1, foot[2])
        sprites.append(sprite(foot, center, (0.9, tall / 2 + 0.1), leaves))
    return sprites
