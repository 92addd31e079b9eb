"""Tiles for the ground and other matter without windows: asphalt, slabs, grass, concrete, cloth, metal."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.canvas import GLOSS, Canvas
from psfusion_core.simulation.noise import fractal_noise, value_noise

Texels = npt.NDArray[np.uint8]


def asphalt(rng: np.random.Generator) -> Texels:
    """6 m of asphalt: chippings, blotches and a few cracks; damp where it is smooth."""
    canvas = Canvas(512)
    grain = rng.random((512, 512))
    blotches = fractal_noise(rng, 512, 4, 5)
    chips = value_noise(rng, 512, 256) - 0.5
    canvas.shade(0.70 + 0.24 * (grain - 0.5) + 0.22 * chips + 0.24 * (blotches - 0.3))
    for _ in range(7):
        x, y = rng.random(2)
        heading = rng.random() * 6.0
        for _ in range(int(rng.integers(8, 34))):
            heading += (rng.random() - 0.5) * 1.5
            step_x, step_y = math.cos(heading) * 0.012, math.sin(heading) * 0.012
            width = 0.0006 + 0.0008 * rng.random()
            points = [
                (x - step_y * 0.1, y + width),
                (x + step_x, y + step_y + width),
                (x + step_x, y + step_y - width),
                (x, y - width),
            ]
            canvas.polygon(points, (96, 94, 92), paint=255, heat=10, gloss=40)
            x, y = x + step_x, y + step_y
    canvas.warm(34.0 * (blotches - 0.5) + 14.0 * (grain - 0.5))
    wet = np.clip((fractal_noise(rng, 512, 3, 4) - 0.36) * 900.0, 25, 255) * (0.75 + 0.25 * grain)
    canvas.texels[..., GLOSS] = wet.astype(np.uint8)
    return canvas.texels


def slabs(rng: np.random.Generator) -> Texels:
    """2.4 m of pavement: 6 x 6 concrete slabs with joints, each of its own shade."""
    canvas = Canvas(256)
    for row in range(6):
        for column in range(6):
            shade = int(205 + 42 * rng.random())
            x, y = (column + 0.5 * (row % 2)) / 6.0, row / 6.0
            for wrap in (0.0, -1.0):
                canvas.rectangle(
                    x + wrap, y, x + wrap + 1 / 6, y + 1 / 6, (shade, shade, shade), paint=255,
                    heat=int(8 * rng.random()) - 4, gloss=40,
                )  # fmt: skip
                canvas.rectangle(x + wrap, y, x + wrap + 0.010, y + 1 / 6, (150, 148, 145), paint=255, heat=9)
        canvas.rectangle(0.0, row / 6.0, 1.0, row / 6.0 + 0.010, (150, 148, 145), paint=255, heat=9)
    canvas.shade(0.86 + 0.14 * rng.random((256, 256)) + 0.12 * (fractal_noise(rng, 256, 4, 4) - 0.5))
    return canvas.texels


def grass(rng: np.random.Generator) -> Texels:
    """3 m of lawn."""
    canvas = Canvas(256, (225, 235, 190))
    blades = value_noise(rng, 256, 128) * 0.5 + rng.random((256, 256)) * 0.5
    canvas.shade(0.45 + 0.45 * blades + 0.35 * (fractal_noise(rng, 256, 3, 4) - 0.3))
    canvas.warm(60.0 * (fractal_noise(rng, 256, 6, 4) - 0.5) - 20.0 * (blades - 0.5))
    return canvas.texels


def concrete(rng: np.random.Generator) -> Texels:
    """4 m of cast concrete with stains; also used for kerbs, road paint and metal."""
    canvas = Canvas(256)
    stains = fractal_noise(rng, 256, 3, 5)
    canvas.shade(0.72 + 0.34 * stains + 0.08 * (rng.random((256, 256)) - 0.5))
    canvas.warm(24.0 * (stains - 0.5) + 8.0 * (rng.random((256, 256)) - 0.5))
    canvas.texels[..., GLOSS] = 60
    return canvas.texels


def cloth(rng: np.random.Generator) -> Texels:
    """Folds of clothing; the heat of the body comes through unevenly."""
    canvas = Canvas(64)
    folds = fractal_noise(rng, 64, 3, 3)
    canvas.shade(0.55 + 0.62 * folds)
    canvas.warm(110.0 * (fractal_noise(rng, 64, 4, 3) - 0.5))
    canvas.texels[..., GLOSS] = 0
    return canvas.texels


def stripes(rng: np.random.Generator) -> Texels:
    """Yellow and black diagonal warning stripes, a little dirty."""
    canvas = Canvas(128, (235, 178, 20), paint=0)
    for k in range(-1, 3):
        x = k * 0.5
        canvas.polygon([(x, 1.0), (x + 0.25, 1.0), (x + 1.25, 0.0), (x + 1.0, 0.0)], (52, 50, 48), heat=20)
        canvas.polygon([(x - 1, 1.0), (x - 0.75, 1.0), (x + 0.25, 0.0), (x, 0.0)], (52, 50, 48), heat=20)
    canvas.shade(0.75 + 0.3 * fractal_noise(rng, 128, 4, 4))
    return canvas.texels


def ground_tiles(rng: np.random.Generator) -> dict[str, Texels]:
    """All tiles of this module by name."""
    painters = (asphalt, slabs, grass, concrete, cloth, stripes)
    return {painter.__name__: painter(rng) for painter in painters}
