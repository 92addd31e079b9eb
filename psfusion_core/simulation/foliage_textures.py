"""Cut-out tiles of leaves for tree crowns and hedges."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.canvas import ALPHA, GLOSS, NO_HEAT, Canvas
from psfusion_core.simulation.noise import fractal_noise

Texels = npt.NDArray[np.uint8]

CROWN_VARIANTS = 4


def _leaves(rng: np.random.Generator, outline: str) -> Texels:
    size = 256
    canvas = Canvas(size, (120, 130, 110))
    alpha = np.zeros((size, size), np.uint8)
    rgb = np.ascontiguousarray(canvas.texels[..., :3])
    count = 1500
    lumps = [(rng.random() * 6.283, 0.25 + 0.4 * rng.random()) for _ in range(9)]
    for k in range(count):
        if outline == "crown":
            angle, reach = lumps[int(rng.integers(9))]
            spread, turn = math.sqrt(rng.random()) * 0.36, rng.random() * 6.283
            x = 0.5 + 0.5 * (reach * math.cos(angle) * 0.95 + spread * math.cos(turn))
            y = 0.5 + 0.5 * (reach * math.sin(angle) * 0.85 + spread * math.sin(turn))
        else:
            x, y = rng.random(), 0.12 + 0.05 * math.sin(9 * rng.random()) + 0.83 * rng.random()
        # back leaves first and darker; leaves near the top catch more light
        level = 0.42 + 0.38 * k / count + 0.30 * (0.5 - y) + 0.16 * (rng.random() - 0.5)
        tint = 0.85 + 0.3 * rng.random()
        color = (int(235 * level * tint), int(240 * level), int(200 * level * (2 - tint)))
        center = (round(x * size * 16), round(y * size * 16))
        axes = (round((3.0 + 4.0 * rng.random()) * 16), round((1.6 + 2.0 * rng.random()) * 16))
        turned = rng.random() * 180.0
        clipped = tuple(min(max(c, 8), 255) for c in color)
        points = np.array(cv2.ellipse2Poly(center, axes, int(turned), 0, 360, 45))
        cv2.fillConvexPoly(rgb, points, clipped, cv2.LINE_8, 4)
        cv2.fillConvexPoly(alpha, points, 255, cv2.LINE_8, 4)
    if outline == "hedge":
        alpha[size // 3 :] = 255
    canvas.texels[..., :3] = rgb
    canvas.texels[..., ALPHA] = alpha
    canvas.texels[..., GLOSS] = 0
    canvas.warm(70.0 * (fractal_noise(rng, size, 6, 4) - 0.5))
    empty = alpha == 0  # leaves fade into the mean of their neighbours in the reduced tiles
    canvas.texels[empty, :3] = rgb[~empty].mean(axis=0, dtype=np.float64).astype(np.uint8)
    canvas.texels[empty, 5] = NO_HEAT
    return canvas.texels


def foliage_tiles(rng: np.random.Generator) -> dict[str, Texels]:
    """crown0..3 (round clumps) and hedge0..1 (dense, flat at the bottom)."""
    tiles = {f"crown{k}": _leaves(rng, "crown") for k in range(CROWN_VARIANTS)}
    return tiles | {f"hedge{k}": _leaves(rng, "hedge") for k in range(2)}
