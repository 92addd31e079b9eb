"""Tiles for buildings: fronts with windows, shop fronts and blind side walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.canvas import Canvas
from psfusion_core.simulation.noise import fractal_noise

Texels = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

FACADE_METRES = 12.8
"""Width and height of wall that one facade tile covers: four storeys of 3.2 m."""
STOREY_METRES = 3.2

_GLASS: Color = (62, 74, 84)
_ROOM_LIGHTS: tuple[Color, ...] = (
    (255, 196, 116), (255, 208, 140), (255, 182, 98), (250, 228, 190), (206, 226, 248), (255, 172, 92),
)  # fmt: skip


@dataclass(frozen=True)
class FacadeStyle:
    """Window grid of one kind of building; sizes as fractions of a grid cell."""

    columns: int
    window_width: float
    window_height: float
    frame: Color
    lit_share: float
    bricks: bool = False
    balconies: bool = False
    ribbons: bool = False


STYLES = (
    FacadeStyle(5, 0.46, 0.56, (225, 222, 214), 0.34, bricks=True),
    FacadeStyle(4, 0.58, 0.60, (120, 122, 126), 0.30, balconies=True),
    FacadeStyle(6, 0.86, 0.52, (92, 96, 102), 0.42, ribbons=True),
    FacadeStyle(5, 0.40, 0.62, (236, 234, 228), 0.26),
    FacadeStyle(8, 0.90, 0.82, (70, 76, 84), 0.30, ribbons=True),
    FacadeStyle(4, 0.40, 0.50, (150, 120, 92), 0.38),
)


def _bricks(canvas: Canvas, rng: np.random.Generator) -> None:
    for row in range(64):
        for column in range(26):
            x, y = (column + 0.5 * (row % 2)) / 25.6, row / 64
            shade = int(190 + 60 * rng.random())
            canvas.rectangle(x, y, x + 0.036, y + 0.0135, (shade, shade - 10, shade - 14), paint=255, heat=2)


def _window(
    canvas: Canvas, rng: np.random.Generator, style: FacadeStyle, box: tuple[float, float, float, float]
) -> None:
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    canvas.rectangle(x0 - 0.004, y0 - 0.004, x1 + 0.004, y1 + 0.004, style.frame, heat=6)
    lit = rng.random() < style.lit_share
    room = _ROOM_LIGHTS[int(rng.integers(len(_ROOM_LIGHTS)))]
    level = int(90 + 150 * rng.random())
    heat = 26 + int(16 * rng.random()) if lit else 8 + int(12 * rng.random())
    if lit:
        canvas.rectangle(x0, y0, x1, y1, room, glow=level, heat=heat, gloss=120)
        canvas.rectangle(x0, y0 + height * 0.55, x1, y1, room, glow=int(level * 0.6), heat=heat, gloss=120)
        for _ in range(int(rng.integers(0, 3))):  # furniture and people against the light
            x, w = x0 + width * rng.random() * 0.8, width * (0.08 + 0.14 * rng.random())
            top = y1 - height * (0.2 + 0.35 * rng.random())
            canvas.rectangle(x, top, min(x + w, x1), y1, (96, 76, 58), glow=level // 5, heat=heat, gloss=80)
    else:
        shade = 0.6 + 0.6 * rng.random()
        glass = (int(_GLASS[0] * shade), int(_GLASS[1] * shade), int(_GLASS[2] * shade))
        canvas.rectangle(x0, y0, x1, y1, glass, heat=heat, gloss=255)
    if rng.random() < 0.45:  # curtains or a blind
        cloth = (200, 190, 172) if not lit else room
        glow = level // 2 if lit else 0
        share = 0.12 + 0.2 * rng.random()
        if rng.random() < 0.5:
            canvas.rectangle(x0, y0, x1, y0 + height * share * 1.6, cloth, glow=glow, heat=heat, gloss=60)
        else:
            canvas.rectangle(x0, y0, x0 + width * share, y1, cloth, glow=glow, heat=heat, gloss=60)
            canvas.rectangle(x1 - width * share, y0, x1, y1, cloth, glow=glow, heat=heat, gloss=60)
    bar = 0.0022
    if width > 0.075:
        middle = (x0 + x1) / 2
        canvas.rectangle(middle - bar, y0, middle + bar, y1, style.frame, heat=6)
    canvas.rectangle(x0, y0 + height * 0.30 - bar, x1, y0 + height * 0.30 + bar, style.frame, heat=6)
    canvas.rectangle(x0 - 0.008, y1, x1 + 0.008, y1 + 0.007, style.frame, heat=4)
    canvas.rectangle(x0, y1 + 0.007, x1, y1 + 0.020, (170, 168, 164), paint=255, heat=2)


def facade(rng: np.random.Generator, style: FacadeStyle) -> Texels:
    """A tile of wall with four rows of windows, each lit or dark by chance."""
    canvas = Canvas(512, (236, 234, 230))
    if style.bricks:
        _bricks(canvas, rng)
    cell = 1.0 / style.columns
    for row in range(4):
        top = row * 0.25 + 0.25 * (0.92 - style.window_height)
        bottom = top + 0.25 * style.window_height
        if style.ribbons:
            canvas.rectangle(0, top - 0.012, 1, bottom + 0.012, (88, 92, 98), heat=4, gloss=60)
        for column in range(style.columns):
            middle = (column + 0.5) * cell
            half = style.window_width * cell / 2
            _window(canvas, rng, style, (middle - half, top, middle + half, bottom))
            if style.balconies and column % 2 == 0:
                left, right = middle - 0.46 * cell, middle + 0.46 * cell
                canvas.rectangle(left, bottom + 0.008, right, bottom + 0.020, (205, 204, 202), heat=3)
                canvas.rectangle(left, bottom - 0.055, right, bottom - 0.050, (90, 92, 96), heat=3)
                for k in range(13):
                    x = left + (right - left) * k / 12
                    canvas.rectangle(x - 0.0012, bottom - 0.055, x + 0.0012, bottom + 0.01, (90, 92, 96))
        if not style.bricks:
            canvas.rectangle(0, row * 0.25 - 0.004, 1, row * 0.25 + 0.004, (198, 196, 192), paint=255, heat=5)
    stains = fractal_noise(rng, 512, 3, 6)
    canvas.shade(0.86 + 0.24 * stains)
    canvas.warm(26.0 * (stains - 0.5))
    return canvas.texels


def blind_wall(rng: np.random.Generator) -> Texels:
    """Side wall: plaster with stains, a downpipe and two small windows."""
    canvas = Canvas(256, (230, 228, 224))
    style = FacadeStyle(4, 0.3, 0.4, (180, 178, 172), 0.5)
    for x, y in ((0.22, 0.08), (0.66, 0.58)):
        _window(canvas, rng, style, (x, y, x + 0.08, y + 0.1))
    canvas.rectangle(0.9, 0.0, 0.91, 1.0, (110, 110, 108), heat=4)
    stains = fractal_noise(rng, 256, 3, 6)
    canvas.shade(0.78 + 0.36 * stains)
    canvas.warm(30.0 * (stains - 0.5))
    return canvas.texels


def shop(rng: np.random.Generator) -> Texels:
    """Ground floor of 12.8 m: two shop windows, doors, goods and a signboard, stretched over 3.4 m."""
    canvas = Canvas(512, (120, 112, 104), paint=0)
    canvas.rectangle(0, 0, 1, 1, (128, 118, 108), heat=4)
    for x0 in (0.0, 0.5):
        sign = [(176, 52, 44), (36, 92, 140), (40, 118, 84), (196, 150, 48), (92, 60, 120)][
            int(rng.integers(5))
        ]
        lit = rng.random() < 0.8
        level = 190 if lit else 20
        canvas.rectangle(x0 + 0.015, 0.05, x0 + 0.485, 0.21, sign, glow=80 if lit else 0, heat=24, gloss=60)
        x = x0 + 0.06 + 0.1 * rng.random()
        while x < x0 + 0.40:  # letters
            w = 0.010 + 0.018 * rng.random()
            canvas.rectangle(x, 0.09, x + w, 0.17, (250, 246, 236), glow=150 if lit else 0, heat=26)
            x += w + 0.008
        room = _ROOM_LIGHTS[int(rng.integers(len(_ROOM_LIGHTS)))]
        door = x0 + (0.03 if rng.random() < 0.5 else 0.36)
        for left, right, top in ((x0 + 0.03, x0 + 0.47, 0.28),):
            canvas.rectangle(left, top, right, 0.86, (70, 72, 76), heat=6)
            canvas.rectangle(
                left + 0.005, top + 0.02, right - 0.005, 0.85, room, glow=level, heat=34, gloss=150
            )
            canvas.rectangle(
                left + 0.005, 0.62, right - 0.005, 0.85, room, glow=level // 2, heat=34, gloss=150
            )
            for _ in range(26):  # goods
                gx, gw = left + 0.01 + (right - left - 0.04) * rng.random(), 0.008 + 0.02 * rng.random()
                gy = 0.44 + 0.3 * rng.random()
                tint = (
                    int(90 + 165 * rng.random()),
                    int(80 + 140 * rng.random()),
                    int(60 + 140 * rng.random()),
                )
                canvas.rectangle(gx, gy, gx + gw, gy + 0.09, tint, glow=level // 3, heat=34, gloss=110)
            for k in range(1, 4):
                x = left + (right - left) * k / 4
                canvas.rectangle(x - 0.003, top, x + 0.003, 0.86, (66, 68, 72), heat=6)
        canvas.rectangle(door, 0.27, door + 0.1, 0.98, (54, 52, 52), heat=10)
        canvas.rectangle(door + 0.012, 0.31, door + 0.088, 0.9, room, glow=level * 2 // 3, heat=40, gloss=150)
    canvas.shade(0.88 + 0.2 * fractal_noise(rng, 512, 3, 5))
    return canvas.texels


def facade_tiles(rng: np.random.Generator) -> dict[str, Texels]:
    """facade0..5, blind_wall and shop0..2."""
    tiles = {f"facade{k}": facade(rng, style) for k, style in enumerate(STYLES)}
    tiles["blind_wall"] = blind_wall(rng)
    return tiles | {f"shop{k}": shop(rng) for k in range(3)}
