"""The verdict on a calibration: refused, rough or good."""

from __future__ import annotations

GOOD_DISAGREEMENT = 0.005
"""Disagreement of the two halves of the pairs at the corners, in widths of the infrared image.

It is 3.2 of 640 pixels. The result is the mean of the halves, so its random error is about half of that, 1.6
pixels. An error that both halves share shows only in the picture.
"""

GOOD_RESIDUAL = 1.0
"""Root mean square residual of the corners of a checkerboard, pixels."""


class CalibrationError(ValueError):
    """No reliable registration was found; the message is one line with the reason and the remedy."""


def judge(residual: float, good: float, unit: str, remedy: str) -> str:
    """Return the verdict on a reliable registration: good, or rough with a remedy.

    Args:
        residual: The measured residual.
        good: Largest residual of a good registration.
        unit: Unit of both, such as "infrared pixels".
        remedy: What to do about a larger residual.
    """
    if residual <= good:
        return f"good: {residual:.2f} {unit}, at most {good:.2f} expected; check the edges in calibration.png"
    return f"rough: {residual:.2f} {unit}, at most {good:.2f} expected: {remedy}"
