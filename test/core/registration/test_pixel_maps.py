"""Pixel maps against independent computations: OpenCV's perspective transform and projection."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.registration import CameraModel, ExtrinsicRegistration, HomographyRegistration

H = (1.03, 0.02, -7.0, -0.01, 0.98, 5.0, 2e-5, -1e-5, 1.0)
LENSES = {
    "plumb_bob": (-0.31, 0.12, 0.001, -0.0005, -0.02),
    "rational_polynomial": (0.4, -0.1, 0.0004, 0.0003, 0.01, 0.75, -0.12, 0.02),
    "equidistant": (-0.02, 0.004, -0.002, 0.0004),
}
K = (300.0, 0.0, 161.0, 0.0, 305.0, 118.0, 0.0, 0.0, 1.0)
SMALL_TURN = tuple(cv2.Rodrigues(np.array([0.02, -0.03, 0.015]))[0].ravel().tolist())


def pixels(width: int, height: int) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
    return np.stack([columns, rows], axis=-1)


def test_homography_is_the_perspective_transform_of_every_pixel() -> None:
    found = HomographyRegistration(H, (64, 48), (80, 60)).pixel_map((64, 48), (80, 60))
    expected = cv2.perspectiveTransform(pixels(64, 48).reshape(1, -1, 2), np.reshape(H, (3, 3)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.reshape(-1, 2), expected[0], atol=1e-4)


@given(st.integers(1, 4), st.integers(1, 4))
def test_homography_scales_with_both_images_about_their_edges(visible: int, infrared: int) -> None:
    plain = HomographyRegistration(H, (16, 12), (20, 15))
    found = plain.pixel_map((16 * visible, 12 * visible), (20 * infrared, 15 * infrared))
    # Corners of pixels, half a pixel before their centres, are what scales.
    small = (pixels(16 * visible, 12 * visible) + 0.5) / visible - 0.5
    mapped = cv2.perspectiveTransform(small.reshape(1, -1, 2), np.reshape(H, (3, 3))).reshape(small.shape)
    np.testing.assert_allclose(found, (mapped + 0.5) * infrared - 0.5, atol=1e-3)


def test_sizes_of_another_aspect_are_refused_for_either_image() -> None:
    registration = HomographyRegistration(H, (64, 48), (80, 60))
    with pytest.raises(
        ValueError, match=r"expected the visible image at 64 x 48 .* got 64 x 40 .* calibrate"
    ):
        registration.pixel_map((64, 40), (80, 60))
    with pytest.raises(ValueError, match="infrared image at 80 x 60"):
        registration.pixel_map((64, 48), (80, 64))


def test_pixels_beyond_the_horizon_of_the_homography_have_no_place() -> None:
    found = HomographyRegistration((1.0, 0, 0, 0, 1.0, 0, -0.05, 0, 1.0)).pixel_map((64, 48), (64, 48))
    assert np.isfinite(found[:, :20]).all()
    assert np.isnan(found[:, 21:]).all()


@pytest.mark.parametrize("model", LENSES)
def test_rays_undo_the_projection_of_opencv(model: str) -> None:
    camera = CameraModel(320, 240, K, LENSES[model], model)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (200, 2))
    space = np.column_stack([points, np.ones(200)])
    k, d = np.reshape(K, (3, 3)), np.array(LENSES[model])
    if model == "equidistant":
        projected, _ = cv2.fisheye.projectPoints(space[:, None], np.zeros(3), np.zeros(3), k, d)
    else:
        projected, _ = cv2.projectPoints(space, np.zeros(3), np.zeros(3), k, d)
    np.testing.assert_allclose(camera.project(points), projected.reshape(-1, 2), atol=1e-6)
    np.testing.assert_allclose(camera.rays(projected.reshape(-1, 2)), points, atol=2e-4)


@pytest.mark.parametrize("visible_model", LENSES)
@pytest.mark.parametrize("infrared_model", LENSES)
def test_extrinsics_put_points_of_the_plane_where_both_cameras_see_them(
    visible_model: str, infrared_model: str
) -> None:
    visible = CameraModel(320, 240, K, LENSES[visible_model], visible_model)
    infrared = CameraModel(
        320, 240, (350.0, 0, 150.0, 0, 350.0, 120.0, 0, 0, 1), LENSES[infrared_model], infrared_model
    )
    translation = (0.08, -0.02, 0.01)
    found = ExtrinsicRegistration(visible, infrared, SMALL_TURN, translation, 4.0).pixel_map(
        (320, 240), (320, 240)
    )
    # From a point on the plane to both images, by OpenCV; the map is read where the visible pixel falls.
    rng = np.random.default_rng(1)
    space = np.column_stack([rng.uniform(-1.0, 1.0, 100), rng.uniform(-0.8, 0.8, 100), np.full(100, 4.0)])
    rotation = cv2.Rodrigues(np.reshape(SMALL_TURN, (3, 3)))[0]
    places = [
        project(camera, space, r, t)
        for camera, r, t in ((visible, np.zeros(3), np.zeros(3)), (infrared, rotation, np.array(translation)))
    ]
    x, y = places[0].T.astype(np.float32)[..., np.newaxis]
    read = cv2.remap(found, x, y, cv2.INTER_LINEAR)[:, 0]
    np.testing.assert_allclose(read, places[1], atol=0.1)


def project(
    camera: CameraModel, space: np.ndarray, rotation: np.ndarray, translation: np.ndarray
) -> np.ndarray:
    k, d = np.reshape(camera.k, (3, 3)), np.array(camera.d)
    if camera.distortion_model == "equidistant":
        return cv2.fisheye.projectPoints(space[:, None], rotation, translation, k, d)[0].reshape(-1, 2)
    return cv2.projectPoints(space, rotation, translation, k, d)[0].reshape(-1, 2)


def test_extrinsics_follow_both_sizes_and_refuse_other_aspects() -> None:
    camera = CameraModel(320, 240, K, LENSES["plumb_bob"], "plumb_bob")
    registration = ExtrinsicRegistration(camera, camera, SMALL_TURN, (0.05, 0.0, 0.0), 5.0)
    whole = registration.pixel_map((320, 240), (320, 240))
    half = registration.pixel_map((160, 120), (640, 480))
    expected = (cv2.resize(whole, (160, 120), interpolation=cv2.INTER_AREA) + 0.5) * 2.0 - 0.5
    known = np.isfinite(half) & np.isfinite(expected)  # but for pixels at the edge of the lens's field
    assert known.mean() > 0.9
    np.testing.assert_allclose(half[known], expected[known], atol=0.05)
    with pytest.raises(ValueError, match="expected the visible image at 320 x 240"):
        registration.pixel_map((320, 200), (320, 240))


def test_what_is_behind_the_infrared_camera_has_no_place() -> None:
    camera = CameraModel(64, 48, (50.0, 0, 31.5, 0, 50.0, 23.5, 0, 0, 1), (), "plumb_bob")
    backwards = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    found = ExtrinsicRegistration(camera, camera, backwards, (0.0, 0.0, 0.0), 3.0).pixel_map(
        (64, 48), (64, 48)
    )
    assert np.isnan(found).all()


def test_distortion_that_turns_back_does_not_bring_the_outside_into_the_image() -> None:
    # Barrel distortion of this strength folds: r (1 - 0.4 r^2) falls again beyond r = 0.9.
    narrow = CameraModel(
        320, 240, (300.0, 0, 159.5, 0, 300.0, 119.5, 0, 0, 1), (-0.4, 0.0, 0.0, 0.0), "plumb_bob"
    )
    wide = CameraModel(320, 240, (60.0, 0, 159.5, 0, 60.0, 119.5, 0, 0, 1), (), "")
    identity = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    found = ExtrinsicRegistration(wide, narrow, identity, (0.0, 0.0, 0.0), 3.0).pixel_map(
        (320, 240), (320, 240)
    )
    radius = np.linalg.norm(pixels(320, 240) - (159.5, 119.5), axis=2) / 60.0
    with np.errstate(invalid="ignore"):
        inside = ((found > -0.5) & (found < (319.5, 239.5))).all(axis=2)
    assert inside[radius < 0.35].all()
    assert not inside[radius > 1.0].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": (0.0,) * 9}, "calibrate the camera"),
        ({"k": (1.0,) * 8}, "9 finite values of K"),
        ({"distortion_model": "kannala"}, "plumb_bob, rational_polynomial, equidistant"),
        ({"d": (0.1, 0.2, 0.3)}, "0 or 4 or 5 finite coefficients of plumb_bob"),
        ({"d": (0.1, 0.2, 0.3, float("nan"))}, "finite coefficients"),
        ({"width": 0}, "at least 1 x 1, got 0 x 240"),
    ],
)
def test_cameras_that_make_no_sense_are_refused(change: dict[str, object], message: str) -> None:
    values = {"width": 320, "height": 240, "k": K, "d": (), "distortion_model": "plumb_bob"}
    with pytest.raises(ValueError, match=message):
        CameraModel(**{**values, **change})
