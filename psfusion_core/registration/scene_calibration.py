"""Calibration from natural scenes: one homography for all pairs, accepted only if their halves agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from psfusion_core.registration.alignment import LEVELS, Alignment, ImagePairs, align
from psfusion_core.registration.calibration_verdict import CalibrationError
from psfusion_core.registration.homography import apply_homography
from psfusion_core.registration.pixel_map import FloatArray, Size

MINIMUM_PAIRS = 4
MINIMUM_CORRELATION = 0.12
"""Least correlation of pairs: halves of 10 pairs of different scenes reach 0.1, true pairs 0.2 to 0.4."""

MINIMUM_MARGIN = 0.3
"""Least margin over the correlation of images of different scenes, as a share of the correlation."""

MAXIMUM_DISAGREEMENT = 0.03
"""Largest disagreement of the two halves of the pairs at the corners, in widths of the infrared image."""

MAXIMUM_STRETCH = 1.3
"""Largest ratio of the scales of a plausible homography in different directions and places."""

STEPS = 2 * len(LEVELS)
"""Number of calls of `progress` in a calibration."""


@dataclass(frozen=True)
class SceneCalibration:
    """The homography and its reliability.

    Attributes:
        matrix: (3, 3) homography from visible to infrared pixels.
        correlation: Mean correlation of the structure of both images of a pair, in [-1, 1].
        disagreement: Mean distance, in infrared pixels, between the corners of the visible image as mapped by
            the estimates of the even and of the odd pairs.
    """

    matrix: FloatArray
    correlation: float
    disagreement: float


def calibrate(pairs: ImagePairs, progress: Callable[[], object] = lambda: None) -> SceneCalibration:
    """Estimate the homography of the even and of the odd pairs, and return their mean if they agree.

    Args:
        pairs: At least 4, each (H, W, 3) uint8 RGB and (h, w) uint8, all of the same two sizes.
        progress: Called `STEPS` times.

    Raises:
        CalibrationError: There are too few pairs, different sizes, or no reliable homography.
    """
    if len(pairs) < MINIMUM_PAIRS:
        raise CalibrationError(
            f"expected at least {MINIMUM_PAIRS} pairs, got {len(pairs)}: record more, with different scenes"
        )
    sizes = {(visible.shape[:2], infrared.shape) for visible, infrared in pairs}
    if len(sizes) > 1:
        raise CalibrationError(
            f"expected pairs of one size, got {len(sizes)} different ones: use images of one pair of cameras"
        )
    visible_size: Size = (pairs[0][0].shape[1], pairs[0][0].shape[0])
    infrared_size: Size = (pairs[0][1].shape[1], pairs[0][1].shape[0])
    halves = [align(pairs[start::2], progress) for start in (0, 1)]
    for half in halves:
        check_plausible(half.matrix, visible_size, infrared_size)
        check_correlation(half)
    disagreement = corner_distance(halves[0].matrix, halves[1].matrix, visible_size)
    limit = MAXIMUM_DISAGREEMENT * infrared_size[0]
    if not disagreement <= limit:
        raise CalibrationError(
            f"expected both halves of the pairs to agree within {limit:.1f} pixels at the corners, got "
            f"{disagreement:.1f}: use more pairs with more different scenes"
        )
    corners = _corners(visible_size)
    moved = [apply_homography(half.matrix, corners) for half in halves]
    matrix = cv2.getPerspectiveTransform(
        corners.astype(np.float32), np.mean(moved, axis=0).astype(np.float32)
    )
    correlation = float(np.mean([half.correlation for half in halves]))
    return SceneCalibration(np.asarray(matrix, np.float64), correlation, disagreement)


def check_correlation(alignment: Alignment) -> None:
    """Raise CalibrationError unless pairs correlate better than images of different scenes."""
    if alignment.correlation < MINIMUM_CORRELATION:
        raise CalibrationError(
            f"expected images that correlate by {MINIMUM_CORRELATION} or more, got "
            f"{alignment.correlation:.2f}: use pairs of the same moment with many edges that both cameras "
            "see, or a heated checkerboard"
        )
    # If the scene never changes, every infrared image is as good a partner as the right one.
    margin = MINIMUM_MARGIN * alignment.correlation * (1.0 - alignment.repetition)
    if alignment.correlation - alignment.confusion < margin:
        raise CalibrationError(
            f"expected pairs to correlate better than images of different scenes, got "
            f"{alignment.correlation:.2f} and {alignment.confusion:.2f}: use pairs of the same moment"
        )


def check_plausible(matrix: FloatArray, visible_size: Size, infrared_size: Size) -> None:
    """Raise CalibrationError unless a homography is plausible for two cameras that look the same way.

    It must not mirror the image, nor stretch it by different amounts in different places or directions.
    """
    x, y = np.meshgrid(np.linspace(0, visible_size[0], 3), np.linspace(0, visible_size[1], 3))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    here, right, down = (
        apply_homography(matrix, points + step) / infrared_size * visible_size
        for step in (np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    )
    jacobians = np.stack([right - here, down - here], axis=2)
    scales = np.full(2, np.nan)
    if np.isfinite(jacobians).all() and (np.linalg.det(jacobians) > 0.0).all():
        scales = np.linalg.svd(jacobians, compute_uv=False)
    if not scales.max() / scales.min() <= MAXIMUM_STRETCH:
        raise CalibrationError(
            "expected cameras that look the same way, got a homography that turns or distorts the image: "
            "use more pairs with more different scenes, or a heated checkerboard"
        )


def corner_distance(first: FloatArray, second: FloatArray, visible_size: Size) -> float:
    """Return the mean distance, infrared pixels, between the visible corners under two homographies."""
    corners = _corners(visible_size)
    moved = apply_homography(first, corners) - apply_homography(second, corners)
    return float(np.linalg.norm(moved, axis=1).mean())


def _corners(size: Size) -> FloatArray:
    right, bottom = size[0] - 1.0, size[1] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
