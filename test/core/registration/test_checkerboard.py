"""Calibration with boards that are rendered by known cameras."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cli import main
from psfusion_core.registration import (
    CameraModel,
    ExtrinsicRegistration,
    make_registration,
    read_camera,
    read_registration,
)
from psfusion_core.registration.calibration_verdict import CalibrationError
from psfusion_core.registration.checkerboard import Board, View, find_corners, fit_homography

BOARD = Board(7, 5, 0.1)
VISIBLE = CameraModel(
    480, 360, (420.0, 0, 238.0, 0, 425.0, 182.0, 0, 0, 1.0), (-0.1, 0.02, 0, 0, 0), "plumb_bob"
)
INFRARED = CameraModel(
    320, 256, (330.0, 0, 161.0, 0, 330.0, 126.0, 0, 0, 1.0), (0.05, 0, 0, 0, 0), "plumb_bob"
)
ROTATION = cv2.Rodrigues(np.array([0.01, -0.03, 0.02]))[0]
TRANSLATION = np.array([-0.12, 0.01, 0.02])
OVERSAMPLING = 2


@functools.cache
def rays_of(camera: CameraModel) -> np.ndarray:
    fine = camera.scaled_to((camera.width * OVERSAMPLING, camera.height * OVERSAMPLING), "visible")
    columns, rows = np.meshgrid(np.arange(fine.width, dtype=float), np.arange(fine.height, dtype=float))
    rays = fine.rays(np.stack([columns.ravel(), rows.ravel()], axis=1))
    return np.column_stack([rays, np.ones(len(rays))])


def draw(
    camera: CameraModel, rotation: np.ndarray, translation: np.ndarray, dark: int, bright: int
) -> np.ndarray:
    """Draw the board as a camera sees it: each pixel's ray is cut with the board's plane."""
    rays = rays_of(camera)
    depth = (rotation[:, 2] @ translation) / (rays @ rotation[:, 2])
    place = (rays * depth[:, None] - translation) @ rotation / BOARD.square
    x, y = place[:, 0] + 1.0, place[:, 1] + 1.0  # the first inner corner is at (1, 1) squares
    inside = (x > 0) & (x < BOARD.columns + 1) & (y > 0) & (y < BOARD.rows + 1)
    black = (np.floor(np.nan_to_num(x)) + np.floor(np.nan_to_num(y))) % 2 == 0
    image = np.where(inside & black, dark, bright).reshape(camera.height * OVERSAMPLING, -1).astype(np.uint8)
    return cv2.resize(image, (camera.width, camera.height), interpolation=cv2.INTER_AREA)


def views() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(10):
        turn = cv2.Rodrigues(rng.uniform((-0.6, -0.6, -0.3), (0.6, 0.6, 0.3)))[0]
        middle = np.array([rng.uniform(-0.25, 0.35), rng.uniform(-0.2, 0.2), rng.uniform(1.5, 2.2)])
        place = middle - turn @ np.array([0.3, 0.2, 0.0])
        visible = draw(VISIBLE, turn, place, 30, 220)
        infrared = draw(INFRARED, ROTATION @ turn, ROTATION @ place + TRANSLATION, 180, 90)  # black is warm
        pairs.append((np.dstack([visible] * 3), infrared))
    return pairs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("board")
    for name in ("vi", "ir"):
        (root / name).mkdir()
    for number, (visible, infrared) in enumerate(views()):
        write_image(root / f"vi/{number}.png", visible)
        write_image(root / f"ir/{number}.png", infrared)
    return root


def command(folder: Path, output: Path, *more: str) -> list[str]:
    sources = ["--visible", str(folder / "vi"), "--infrared", str(folder / "ir"), "--output", str(output)]
    return ["calibrate", *sources, "--checkerboard", "7x5", "--square", "0.1", *more]


def test_extrinsics_and_both_cameras_are_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folder, tmp_path / "out", "--distance", "25")) == 0
    assert "root mean square distance" in capsys.readouterr().out
    settings = read_registration(tmp_path / "out/registration.yaml")
    assert settings.mode == "extrinsics"
    assert settings.distance == 25.0
    cameras = []
    for name, camera in (("visible", VISIBLE), ("infrared", INFRARED)):
        found = read_camera(tmp_path / f"out/{name}_camera.yaml")
        assert (found.width, found.height) == (camera.width, camera.height)
        np.testing.assert_allclose(found.k, camera.k, rtol=0.05, atol=12.0)
        cameras.append(found)
    # A small turn looks like a move of the principal point: what counts is where pixels end up.
    found_map = make_registration(replace(settings, distance=1.8), *cameras).pixel_map((480, 360), (320, 256))
    turn, shift = tuple(ROTATION.ravel().tolist()), tuple(TRANSLATION.tolist())
    true_map = ExtrinsicRegistration(VISIBLE, INFRARED, turn, shift, 1.8).pixel_map((480, 360), (320, 256))
    inner = (slice(60, 300), slice(80, 400))
    assert np.abs(found_map - true_map)[inner].mean() < 0.5
    assert (tmp_path / "out/calibration.png").stat().st_size > 1000


def test_homography_of_boards_at_different_distances_does_not_fit(folder: Path, tmp_path: Path) -> None:
    assert main(command(folder, tmp_path / "out", "--homography")) == 2
    assert not (tmp_path / "out").exists()


def test_homography_of_one_plane_is_found() -> None:
    rng = np.random.default_rng(0)
    matrix = np.array([[0.7, 0.01, 5.0], [-0.02, 0.71, 3.0], [1e-5, 2e-5, 1.0]])
    found_views = []
    for _ in range(5):
        visible = (BOARD.points[:, :2] * 300 + rng.uniform(20, 200, 2)).astype(np.float32)
        infrared = cv2.perspectiveTransform(visible[None].astype(float), matrix)[0].astype(np.float32)
        found_views.append(View(visible, infrared))
    found, residual = fit_homography(found_views)
    np.testing.assert_allclose(found, matrix, rtol=1e-2, atol=1e-3)
    assert residual < 0.01
    with pytest.raises(CalibrationError, match="at least 5 pairs, got 4"):
        fit_homography(found_views[:4])


def test_too_few_boards_are_a_failure_that_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [word if word != "7x5" else "8x6" for word in command(folder, tmp_path / "out")]
    assert main(wrong) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "check COLSxROWS" in error
    assert not (tmp_path / "out").exists()


def test_corners_of_warm_and_of_cold_squares_are_the_same() -> None:
    turn, place = cv2.Rodrigues(np.array([0.1, 0.2, 0.2]))[0], np.array([-0.3, -0.2, 1.8])
    plain = find_corners(draw(INFRARED, turn, place, 30, 220), BOARD)
    warm = find_corners(draw(INFRARED, turn, place, 200, 60), BOARD)
    assert plain is not None
    assert warm is not None
    space = BOARD.points @ turn.T + place
    expected = INFRARED.project(space[:, :2] / space[:, 2:])
    for found in (plain, warm):
        distances = np.linalg.norm(found[:, None] - expected[None], axis=2).min(axis=1)
        assert distances.max() < 0.4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkerboard", "9"], "COLSxROWS"),
        (["--checkerboard", "9x6"], "--square"),
        (["--square", "0.1"], "need --checkerboard"),
        (["--homography"], "need --checkerboard"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["calibrate", "--bag", "nowhere", "--output", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
