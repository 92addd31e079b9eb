"""``Fuser`` with a registration: as if the images were aligned; without infrared, the visible image."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from psfusion_core import Fuser
from psfusion_core.cameras.image_files import read_visible, write_image
from psfusion_core.cli import main
from psfusion_core.registration import HomographyRegistration, RegistrationSettings, write_registration
from psfusion_core.simulation import RoadScene

MATRIX = np.array([[1.25, 0.02, 3.0], [-0.02, 1.25, 2.0], [1e-5, 0.0, 1.0]])
REGISTRATION = HomographyRegistration(tuple(MATRIX.ravel().tolist()))


@pytest.fixture(scope="module")
def fuser(exported_network: None) -> Fuser:
    return Fuser(device="cpu")


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    frame = RoadScene(seed=3, time_of_day="night", height=128, width=160).render(0.0)
    return frame.visible, frame.infrared


def moved(infrared: np.ndarray) -> np.ndarray:
    """The infrared image as a camera sees it that is turned and has more pixels."""
    return cv2.warpPerspective(
        infrared, MATRIX, (220, 180), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def test_right_registration_gives_what_aligned_cameras_give(
    fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    visible, infrared = pair
    aligned = fuser(visible, infrared).image.astype(int)
    fuser.registration = REGISTRATION
    registered = fuser(visible, moved(infrared)).image.astype(int)
    fuser.registration = None
    error = np.abs(registered - aligned)[8:-8, 8:-8]
    wrong = np.abs(fuser(visible, cv2.resize(moved(infrared), (160, 128))).image.astype(int) - aligned)[
        8:-8, 8:-8
    ]
    assert error.mean() < 1.5
    assert error.mean() < 0.3 * wrong.mean()


def test_what_the_infrared_does_not_see_is_the_visible_image(
    fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    visible, infrared = pair
    fuser.registration = HomographyRegistration((1.0, 0, -50.0, 0, 1.0, 0, 0, 0, 1.0))
    image = fuser(visible, infrared).image
    placed = fuser.register(infrared, (160, 128))
    fuser.registration = None
    np.testing.assert_array_equal(image[:, :50], visible[:, :50])
    assert np.abs(image[:, 60:].astype(int) - visible[:, 60:]).mean() > 2
    np.testing.assert_array_equal(placed[:, 50:], infrared[:, :-50])
    assert (placed[:, :49] == 0).all()


def test_no_seam_shows_where_the_infrared_ends(fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Across the edge of the infrared image what it adds comes in gradually, not in one step."""
    visible, infrared = pair
    fuser.registration = HomographyRegistration((1.0, 0, -80.0, 0, 1.0, 0, 0, 0, 1.0))
    image = fuser(visible, infrared).image.astype(int)
    fuser.registration = None
    added = image - visible.astype(int)
    steps = np.abs(np.diff(added.mean(axis=(0, 2))))
    assert np.abs(added[:, 100:]).mean() > 5.0
    assert steps[76:92].max() < 0.3 * np.abs(added[:, 90:110].mean(axis=(0, 2))).max()


def test_sizes_of_one_aspect_are_scaled_to_the_visible_image(
    fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    visible, infrared = pair
    large = cv2.resize(infrared, (320, 256), interpolation=cv2.INTER_NEAREST)
    assert np.abs(fuser.register(large, (160, 128)).astype(int) - infrared).mean() < 2.0
    expected = fuser(visible, fuser.register(large, (160, 128))).image.astype(int)
    assert np.abs(fuser(visible, large).image - expected).max() <= 3


def test_registering_an_aligned_infrared_changes_nothing(
    fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    np.testing.assert_array_equal(fuser.register(pair[1], (160, 128)), pair[1])


def test_the_map_is_made_once_for_each_pair_of_sizes(
    fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    calls = []

    class Counting:
        def pixel_map(self, visible_size: tuple[int, int], infrared_size: tuple[int, int]) -> np.ndarray:
            calls.append((visible_size, infrared_size))
            return REGISTRATION.pixel_map(visible_size, infrared_size)

    fuser.registration = Counting()
    for infrared in (pair[1], pair[1], moved(pair[1])):
        fuser(pair[0], infrared)
    fuser.registration = None
    assert calls == [((160, 128), (160, 128)), ((160, 128), (220, 180))]


def test_registration_of_another_aspect_is_refused(fuser: Fuser, pair: tuple[np.ndarray, np.ndarray]) -> None:
    fuser.registration = HomographyRegistration(REGISTRATION.matrix, (160, 128), (220, 180))
    try:
        with pytest.raises(ValueError, match="infrared image at 220 x 180"):
            fuser(*pair)
    finally:
        fuser.registration = None


def test_fuse_takes_the_file_of_a_registration(
    tmp_path: Path, fuser: Fuser, pair: tuple[np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    visible, infrared = pair
    write_image(tmp_path / "v.png", visible)
    write_image(tmp_path / "i.png", moved(infrared))
    settings = RegistrationSettings(mode="homography", homography=REGISTRATION.matrix)
    write_registration(tmp_path / "registration.yaml", settings, "")
    command = [
        "fuse",
        "--device",
        "cpu",
        "--visible",
        str(tmp_path / "v.png"),
        "--infrared",
        str(tmp_path / "i.png"),
    ]
    command += ["--output", str(tmp_path / "out")]
    assert main([*command, "--registration", str(tmp_path / "registration.yaml")]) == 0
    fuser.registration = REGISTRATION
    expected = fuser(visible, moved(infrared)).image
    fuser.registration = None
    np.testing.assert_array_equal(read_visible(tmp_path / "out/fused/v.png"), expected)
    assert main([*command, "--visible-camera", "camera.yaml"]) == 2
    assert "need --registration" in capsys.readouterr().err
