"""Tiles projected onto cars: side, front and rear views of each body, and a wheel."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.canvas import Canvas
from psfusion_core.simulation.car_bodies import BODIES, SIDE_BOTTOM, SIDE_HEIGHT, CarBody

Texels = npt.NDArray[np.uint8]

_GLASS = (44, 50, 58)
_BLACK = (46, 47, 50)
_CHROME = (190, 192, 196)
_LAMP = (252, 246, 232)
_RED = (226, 26, 20)
_AMBER = (240, 140, 30)
_PLATE, _INK = (236, 236, 230), (60, 64, 84)


def _body_canvas() -> Canvas:
    canvas = Canvas(512)
    canvas.texels[..., 6] = 110  # clear coat
    return canvas


def car_side(body: CarBody) -> Texels:
    """Whole side of a car, rear on the left: windows, door seams, wheel arches, sill."""
    canvas = _body_canvas()

    def at(z: float, y: float) -> tuple[float, float]:
        return 0.5 + z / body.length, 1.0 - (y - SIDE_BOTTOM) / SIDE_HEIGHT

    canvas.polygon([at(-9, 0.30), at(9, 0.30), at(9, 0.0), at(-9, 0.0)], _BLACK, heat=10, gloss=30)
    canvas.polygon(
        [at(-9, 0.60), at(9, 0.60), at(9, 0.585), at(-9, 0.585)], (215, 215, 215), paint=255, gloss=60
    )
    for z in body.axles:
        x, y = at(z, body.wheel_radius)
        arch = [
            (
                x + (body.wheel_radius + 0.09) / body.length * c,
                y - (body.wheel_radius + 0.09) / SIDE_HEIGHT * s,
            )
            for c, s in _circle(20)
        ]
        canvas.polygon(arch, (26, 26, 28), heat=46, gloss=10)
    for k, window in enumerate(body.windows):
        outer = [at(z, y) for z, y in window]
        middle_x = sum(x for x, _ in outer) / len(outer)
        middle_y = sum(y for _, y in outer) / len(outer)
        rim = [(middle_x + (x - middle_x) * 1.05, middle_y + (y - middle_y) * 1.12) for x, y in outer]
        canvas.polygon(rim, _BLACK, heat=-6, gloss=120)
        canvas.polygon(outer, _GLASS, heat=-10, gloss=255)
        z0, z1 = window[0][0], window[1][0]
        if k < 2:  # door below the window
            for z in (z0 - 0.03, z1 + 0.03):
                line = [at(z, 0.34), at(z + 0.012, 0.34), at(z + 0.012, 0.86), at(z, 0.86)]
                canvas.polygon(line, (120, 120, 120), paint=255, gloss=40)
            handle = [at(z0 + 0.07, 0.80), at(z0 + 0.24, 0.80), at(z0 + 0.24, 0.77), at(z0 + 0.07, 0.77)]
            canvas.polygon(handle, (160, 160, 160), paint=255, gloss=160)
    canvas.polygon(
        [at(-9, 0.60), at(9, 0.60), at(9, 0.585), at(-9, 0.585)], (215, 215, 215), paint=255, gloss=60
    )
    tail = [at(-9, 0.62), at(-body.length / 2 + 0.16, 0.62), at(-body.length / 2 + 0.20, 0.84), at(-9, 0.84)]
    canvas.polygon(tail, _RED, glow=90, heat=14, gloss=120)
    lamp = [at(9, 0.58), at(body.length / 2 - 0.26, 0.60), at(body.length / 2 - 0.40, 0.72), at(9, 0.70)]
    canvas.polygon(lamp, _LAMP, glow=60, heat=30, gloss=160)
    hot = np.zeros((512, 512))
    hot[:, int(512 * 0.76) :] = 22.0  # engine compartment
    canvas.warm(hot)
    return canvas.texels


def _place(body: CarBody, x: float, y: float) -> tuple[float, float]:
    """Tile position of a point of the front or rear, `x` metres to the side and `y` above the road."""
    return 0.5 + x / body.width, 1.0 - (y - SIDE_BOTTOM) / SIDE_HEIGHT


def _box(body: CarBody, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
    """Tile rectangle between two such points."""
    (left, low), (right, high) = _place(body, min(x0, x1), y0), _place(body, max(x0, x1), y1)
    return left, high, right, low


def car_front(body: CarBody) -> Texels:
    """Front view: headlights, grille, number plate, lower intake."""
    canvas = _body_canvas()
    canvas.warm(np.full((512, 512), 26.0))
    canvas.rectangle(*_box(body, -0.9, 0.10, 0.9, 0.26), _BLACK, heat=30, gloss=20)
    canvas.rectangle(*_box(body, -0.52, 0.26, 0.52, 0.40), (40, 40, 42), heat=62, gloss=20)
    canvas.rectangle(*_box(body, -0.46, 0.52, 0.46, 0.66), (34, 34, 37), heat=84, gloss=60)
    for k in range(4):
        y = 0.535 + 0.033 * k
        canvas.rectangle(*_box(body, -0.45, y, 0.45, y + 0.009), _CHROME, heat=60, gloss=200)
    canvas.rectangle(*_box(body, -0.07, 0.57, 0.07, 0.64), _CHROME, heat=50, gloss=220)
    canvas.rectangle(*_box(body, -0.26, 0.40, 0.26, 0.51), _PLATE, heat=20, gloss=40)
    canvas.rectangle(*_box(body, -0.20, 0.43, 0.20, 0.48), _INK, heat=20, gloss=40)
    for side in (-1.0, 1.0):
        glass = ((0.48, 0.57), (0.92, 0.60), (0.92, 0.71), (0.52, 0.68))
        corners = [_place(body, side * x, y) for x, y in glass]
        canvas.polygon(corners, (150, 152, 156), heat=40, gloss=220)
        canvas.disc(*_place(body, side * 0.68, 0.635), 0.034, _LAMP, glow=255, heat=110, gloss=160)
        canvas.rectangle(*_box(body, side * 0.62, 0.30, side * 0.78, 0.35), _AMBER, glow=40, heat=30)
    return canvas.texels


def car_rear(body: CarBody) -> Texels:
    """Rear view: tail-lights, number plate, bumper, warm exhaust."""
    canvas = _body_canvas()
    canvas.rectangle(*_box(body, -0.9, 0.10, 0.9, 0.30), _BLACK, heat=16, gloss=20)
    canvas.rectangle(*_box(body, -0.9, 0.47, 0.9, 0.48), (120, 120, 120), paint=255, gloss=40)
    canvas.rectangle(*_box(body, -0.28, 0.62, 0.28, 0.75), _PLATE, glow=14, heat=6, gloss=40)
    canvas.rectangle(*_box(body, -0.21, 0.655, 0.21, 0.715), _INK, heat=6, gloss=40)
    for side in (-1.0, 1.0):
        canvas.rectangle(
            *_box(body, side * 0.50, 0.62, side * 0.92, 0.82), (130, 20, 18), glow=90, heat=16, gloss=160
        )
        canvas.rectangle(
            *_box(body, side * 0.60, 0.65, side * 0.92, 0.79), _RED, glow=255, heat=34, gloss=120
        )
        canvas.rectangle(
            *_box(body, side * 0.50, 0.65, side * 0.58, 0.79), (236, 232, 226), glow=30, heat=16, gloss=160
        )
    exhaust = _place(body, 0.52, 0.24)
    canvas.disc(*exhaust, 0.05, None, paint=60, heat=70)
    canvas.disc(*exhaust, 0.022, (30, 30, 30), heat=127)
    return canvas.texels


def _circle(count: int) -> list[tuple[float, float]]:
    return [(math.cos(2.0 * math.pi * k / count), math.sin(2.0 * math.pi * k / count)) for k in range(count)]


def wheel() -> Texels:
    """Tyre and alloy rim with ten spokes; the brake is the hottest part."""
    canvas = Canvas(128, (44, 44, 46), paint=0)
    canvas.warm(np.full((128, 128), 60.0))
    canvas.disc(0.5, 0.5, 0.345, (200, 202, 206), heat=48, gloss=120)
    canvas.disc(0.5, 0.5, 0.30, (52, 52, 55), heat=120, gloss=20)
    for k in range(10):
        (c, s), width = _circle(10)[k], 0.035
        canvas.polygon(
            [(0.5 + 0.31 * c - width * s, 0.5 + 0.31 * s + width * c), (0.5 - width * s, 0.5 + width * c),
             (0.5 + width * s, 0.5 - width * c), (0.5 + 0.31 * c + width * s, 0.5 + 0.31 * s - width * c)],
            (196, 198, 202), heat=60, gloss=120,
        )  # fmt: skip
    canvas.disc(0.5, 0.5, 0.07, (150, 152, 156), heat=90, gloss=160)
    return canvas.texels


def vehicle_tiles() -> dict[str, Texels]:
    """wheel, and NAME_side, NAME_front, NAME_rear for each body."""
    tiles = {"wheel": wheel()}
    for name, body in BODIES.items():
        tiles[f"{name}_side"] = car_side(body)
        tiles[f"{name}_front"] = car_front(body)
        tiles[f"{name}_rear"] = car_rear(body)
    return tiles
