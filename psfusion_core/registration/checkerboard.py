"""Calibration with a printed checkerboard that the sun or a lamp heats, so that both cameras see it.

The black squares absorb more heat, so they are brighter than the white squares in the infrared image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from psfusion_core.base.wording import one_line
from psfusion_core.registration.calibration_verdict import CalibrationError
from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.pixel_map import FloatArray, Size

MINIMUM_VIEWS = 5
MAXIMUM_RESIDUAL = 2.0
"""Largest root mean square residual, pixels; more means confused corners or images that are not pairs."""


@dataclass(frozen=True)
class Board:
    """Inner corners of a checkerboard.

    Args:
        columns: Inner corners in a row.
        rows: Inner corners in a column.
        square: Side of a square, metres.
    """

    columns: int
    rows: int
    square: float

    @property
    def points(self) -> npt.NDArray[np.float32]:
        """(rows * columns, 3) corners on the board, metres."""
        x, y = np.meshgrid(np.arange(self.columns), np.arange(self.rows))
        plane = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
        return (plane * self.square).astype(np.float32)


@dataclass(frozen=True)
class View:
    """The corners of the board in one pair: (N, 2) float32 pixels each, in the same order."""

    visible: npt.NDArray[np.float32]
    infrared: npt.NDArray[np.float32]


@dataclass(frozen=True)
class StereoCalibration:
    """Intrinsics of both cameras, and their extrinsics: p_infrared = rotation p_visible + translation.

    Attributes:
        visible, infrared: Intrinsics.
        rotation: (3, 3).
        translation: (3,) metres.
        residual: Root mean square reprojection error of the corners in both cameras, pixels.
        distance: Median distance of the board, metres.
    """

    visible: CameraModel
    infrared: CameraModel
    rotation: FloatArray
    translation: FloatArray
    residual: float
    distance: float


def find_view(visible: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8], board: Board) -> View | None:
    """Find the board in a pair, (H, W, 3) RGB and (h, w); None unless both images show the whole board."""
    first = find_corners(cv2.cvtColor(visible, cv2.COLOR_RGB2GRAY), board)
    second = find_corners(infrared, board)
    if first is None or second is None:
        return None
    # Both cameras are upright, but the detector may number the corners from either end of the board.
    if np.dot(first[-1] - first[0], second[-1] - second[0]) < 0.0:
        second = np.ascontiguousarray(second[::-1])
    return View(first, second)


def find_corners(image: npt.NDArray[Any], board: Board) -> npt.NDArray[np.float32] | None:
    """Find the inner corners, (N, 2) float32 pixels row by row; either colour of squares may be brighter."""
    low, high = float(image.min()), float(image.max())
    stretched = ((image - low) * (255.0 / max(high - low, 1.0))).astype(np.uint8)
    # The older detector looks for dark squares, and finds wrong corners in the negative of a board.
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY
    found, corners = cv2.findChessboardCornersSB(stretched, (board.columns, board.rows), flags=flags)
    if not found:
        return None
    grid = np.asarray(corners, np.float32).reshape(board.rows, board.columns, 2)
    spacing = min(np.linalg.norm(np.diff(grid, axis=axis), axis=2).min() for axis in (0, 1))
    window = max(2, int(spacing / 4.0))
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-3)
    start = np.ascontiguousarray(grid.reshape(-1, 1, 2))
    refined = cv2.cornerSubPix(stretched, start, (window, window), (-1, -1), criteria)
    return np.asarray(refined, np.float32).reshape(-1, 2)


def calibrate_stereo(
    views: list[View], board: Board, visible_size: Size, infrared_size: Size
) -> StereoCalibration:
    """Calibrate the intrinsics of each camera (Zhang's method, plumb_bob), then the extrinsics.

    Args:
        views: At least 5 views.
        board: The board in the views.
        visible_size: Width and height of the visible images.
        infrared_size: Width and height of the infrared images.

    Raises:
        CalibrationError: There are too few views, or the corners fit no two cameras.
    """
    _check_views(views)
    objects = [board.points] * len(views)
    corners = ([view.visible for view in views], [view.infrared for view in views])
    try:
        intrinsics = [
            cv2.calibrateCamera(objects, points, size, None, None)
            for points, size in zip(corners, (visible_size, infrared_size), strict=True)
        ]
        (_, k1, d1, _, places), (_, k2, d2, _, _) = intrinsics
        residual, k1, d1, k2, d2, rotation, translation, _, _ = cv2.stereoCalibrate(
            objects, *corners, k1, d1, k2, d2, visible_size, flags=cv2.CALIB_FIX_INTRINSIC
        )
    except cv2.error as error:
        raise CalibrationError(
            f"expected views that fix both cameras, got {one_line(error)}: tilt the board more"
        ) from error
    _check_residual(residual)
    visible, infrared = (
        CameraModel(*size, tuple(k.ravel().tolist()), tuple(d.ravel()[:5].tolist()), "plumb_bob")
        for size, k, d in ((visible_size, k1, d1), (infrared_size, k2, d2))
    )
    distance = float(np.median([np.linalg.norm(place) for place in places]))
    turn, shift = np.asarray(rotation, np.float64), np.asarray(translation, np.float64).ravel()
    return StereoCalibration(visible, infrared, turn, shift, float(residual), distance)


def fit_homography(views: list[View]) -> tuple[FloatArray, float]:
    """Fit one homography from visible to infrared pixels to the corners of all views.

    It fits only if the board was always at about the same distance, or the cameras are side by side.

    Returns:
        The (3, 3) homography, and the root mean square distance between the infrared corners and the mapped
        visible corners, pixels.

    Raises:
        CalibrationError: There are too few views, or no homography maps the corners.
    """
    _check_views(views)
    visible = np.concatenate([view.visible for view in views]).astype(np.float64)
    infrared = np.concatenate([view.infrared for view in views]).astype(np.float64)
    matrix, _ = cv2.findHomography(visible, infrared)
    if matrix is None:
        raise CalibrationError("expected corners that a homography maps, got none: move the board about")
    mapped = cv2.perspectiveTransform(visible[:, np.newaxis], matrix)[:, 0]
    residual = float(np.sqrt(np.mean(np.sum((mapped - infrared) ** 2, axis=1))))
    _check_residual(residual)
    return np.asarray(matrix, np.float64), residual


def _check_views(views: list[View]) -> None:
    if len(views) < MINIMUM_VIEWS:
        raise CalibrationError(
            f"expected the whole board in both images of at least {MINIMUM_VIEWS} pairs, got {len(views)}: "
            "check COLSxROWS (inner corners), heat the board and hold it nearer"
        )


def _check_residual(residual: float) -> None:
    if not residual <= MAXIMUM_RESIDUAL:
        raise CalibrationError(
            f"expected a residual of at most {MAXIMUM_RESIDUAL} pixels, got {residual:.1f}: "
            "use pairs of the same moment, with the board held still"
        )
