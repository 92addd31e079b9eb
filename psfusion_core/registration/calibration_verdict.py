"""Whether a registration that was found is good enough, in a line for the user."""

from __future__ import annotations

GOOD_DISAGREEMENT = 0.005
"""Of the corners by the two halves of the pairs, of the width of the infrared image: 3.2 of 640 pixels.

The result is the mean of the halves, and errs by about half of what they differ by chance: 1.6 of 640 pixels.
What both halves err by alike does not show in this, only in the picture.
"""

GOOD_RESIDUAL = 1.0
"""Root mean square, pixels, of the corners of a checkerboard."""


def judge(residual: float, good: float, unit: str, remedy: str) -> str:
    """Return the verdict on a registration that can be trusted: good, or rough and what makes it better.

    Args:
        residual: that was measured, pixels.
        good: the largest residual of a good one, pixels.
        unit: of both, such as "infrared pixels".
        remedy: what to do about a larger one.
    """
    if residual <= good:
        return f"good: {residual:.2f} {unit}, at most {good:.2f} expected; check the edges in calibration.png"
    return f"rough: {residual:.2f} {unit}, at most {good:.2f} expected: {remedy}"
