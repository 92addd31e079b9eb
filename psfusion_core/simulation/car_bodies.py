"""Measures of the car bodies; x to the right, y up, z forward from the middle, in metres."""

from __future__ import annotations

from dataclasses import dataclass

SIDE_BOTTOM = 0.05
SIDE_HEIGHT = 2.05
"""The side, front and rear tiles cover heights from SIDE_BOTTOM to SIDE_BOTTOM + SIDE_HEIGHT."""


@dataclass(frozen=True)
class CarBody:
    """A car from the rear bumper to the front.

    Attributes:
        length, width: outer measures.
        wheel_radius: of the tyre.
        axles: z of the rear and front wheels.
        stations: cross-sections (z, bottom, belt, top, half width at the belt, half width at the top).
        glazed: numbers of the spans between stations whose upper side is a window (rear, windscreen).
        windows: side windows as (z, y) outlines, the first two points at the bottom.
    """

    length: float
    width: float
    wheel_radius: float
    axles: tuple[float, float]
    stations: tuple[tuple[float, float, float, float, float, float], ...]
    glazed: tuple[int, ...]
    windows: tuple[tuple[tuple[float, float], ...], ...]


BODIES = {
    "sedan": CarBody(
        4.6, 1.80, 0.32, (-1.38, 1.36),
        (
            (-2.30, 0.36, 0.80, 0.83, 0.76, 0.60), (-2.18, 0.28, 0.90, 0.96, 0.85, 0.66),
            (-1.85, 0.22, 0.94, 1.02, 0.90, 0.66), (-1.55, 0.20, 0.94, 1.06, 0.90, 0.64),
            (-0.92, 0.20, 0.93, 1.40, 0.90, 0.56), (-0.30, 0.20, 0.92, 1.46, 0.90, 0.58),
            (0.35, 0.20, 0.91, 1.42, 0.90, 0.57), (1.18, 0.20, 0.89, 1.00, 0.90, 0.68),
            (1.60, 0.20, 0.84, 0.92, 0.89, 0.66), (2.05, 0.24, 0.74, 0.80, 0.85, 0.62),
            (2.30, 0.34, 0.58, 0.62, 0.72, 0.54),
        ),
        (3, 6),
        (
            ((-0.98, 0.97), (-0.14, 0.96), (-0.14, 1.36), (-0.68, 1.33)),
            ((-0.04, 0.96), (0.88, 0.95), (0.34, 1.33), (-0.04, 1.37)),
        ),
    ),
    "hatch": CarBody(
        4.1, 1.76, 0.31, (-1.25, 1.27),
        (
            (-2.05, 0.34, 0.86, 0.92, 0.78, 0.62), (-1.95, 0.26, 0.96, 1.06, 0.85, 0.62),
            (-1.50, 0.20, 0.97, 1.44, 0.88, 0.57), (-0.80, 0.20, 0.96, 1.51, 0.88, 0.60),
            (0.00, 0.20, 0.95, 1.53, 0.88, 0.60), (0.52, 0.20, 0.94, 1.47, 0.88, 0.58),
            (1.22, 0.20, 0.92, 1.02, 0.88, 0.68), (1.60, 0.22, 0.86, 0.92, 0.86, 0.64),
            (1.90, 0.26, 0.74, 0.79, 0.82, 0.60), (2.05, 0.34, 0.60, 0.64, 0.72, 0.54),
        ),
        (1, 5),
        (
            ((-1.02, 1.01), (-0.08, 1.00), (-0.08, 1.42), (-0.88, 1.41)),
            ((0.02, 1.00), (0.98, 0.99), (0.50, 1.38), (0.02, 1.42)),
            ((-1.62, 1.04), (-1.12, 1.03), (-1.06, 1.38), (-1.38, 1.37)),
        ),
    ),
    "van": CarBody(
        4.8, 1.86, 0.34, (-1.50, 1.52),
        (
            (-2.40, 0.36, 0.96, 1.10, 0.84, 0.70), (-2.33, 0.28, 1.04, 1.60, 0.90, 0.72),
            (-2.22, 0.22, 1.06, 1.86, 0.93, 0.72), (-1.20, 0.20, 1.06, 1.92, 0.93, 0.75),
            (0.20, 0.20, 1.05, 1.92, 0.93, 0.75), (0.95, 0.20, 1.03, 1.82, 0.93, 0.72),
            (1.72, 0.20, 1.00, 1.14, 0.92, 0.76), (2.10, 0.24, 0.90, 0.96, 0.88, 0.70),
            (2.40, 0.34, 0.66, 0.72, 0.76, 0.58),
        ),
        (1, 5),
        (
            ((-1.05, 1.10), (0.10, 1.10), (0.10, 1.70), (-1.05, 1.70)),
            ((0.22, 1.10), (1.42, 1.09), (0.92, 1.68), (0.22, 1.71)),
            ((-2.12, 1.12), (-1.18, 1.11), (-1.18, 1.69), (-2.04, 1.66)),
        ),
    ),
}  # fmt: skip
"""Body types by name."""
