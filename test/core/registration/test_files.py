"""YAML files of registrations: they are read back, also by the rules of ROS; invalid files are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.registration import (
    CameraModel,
    ExtrinsicRegistration,
    HomographyRegistration,
    RegistrationSettings,
    make_registration,
    read_camera,
    read_registration,
    write_camera,
    write_registration,
)

NUMBER = st.floats(-1e4, 1e4, allow_nan=False)


@given(st.tuples(NUMBER, NUMBER, NUMBER), st.floats(1e-3, 1e6), st.integers(1, 5000))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, translation: tuple[float, ...], distance: float, side: int
) -> None:
    file = tmp_path_factory.mktemp("yaml") / "registration.yaml"
    settings = RegistrationSettings(
        mode="extrinsics", visible_size=(side, side + 1), infrared_size=(7, 5), translation=translation,
        distance=distance, homography=(1.0, 1e-5, 1e3, 0.0, 2.0, 3.0, 1e-20, 0.0, 1.0),
    )  # fmt: skip
    write_registration(file, settings, "of\ntwo lines")
    assert read_registration(file) == settings
    # ROS tells floats from integers by their look, and every value of a list must be alike.
    parameters = yaml.safe_load(file.read_text())["/**"]["ros__parameters"]["registration"]
    assert list(parameters) == [field.name for field in fields(RegistrationSettings)]
    for name in ("homography", "rotation", "translation"):
        assert all(isinstance(value, float) for value in parameters[name])
    assert all(isinstance(value, int) for value in parameters["visible_size"] + parameters["infrared_size"])
    assert isinstance(parameters["distance"], float)


def test_other_parameters_and_missing_ones_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text("/fusion:\n  ros__parameters:\n    device: cpu\n    registration:\n      distance: 3\n")
    assert read_registration(file) == RegistrationSettings(distance=3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "expected YAML"),
        ("/**:\n  ros__parameters:\n    device: cpu", "expected one ros__parameters: registration: .* got 0"),
        ("a: {ros__parameters: {registration: {}}}\nb: {ros__parameters: {registration: {}}}", "got 2"),
        ("a: {ros__parameters: {registration: {homografy: [1.0]}}}", "got homografy: correct the name"),
        ("a: {ros__parameters: {registration: {mode: warp}}}", "none, homography, extrinsics, got 'warp'"),
        ("a: {ros__parameters: {registration: {homography: [1.0, 2.0]}}}", "9 finite numbers, got"),
        ("a: {ros__parameters: {registration: {homography: 1.0}}}", "to be a list like"),
        ("a: {ros__parameters: {registration: {visible_size: [640.5, 480.0]}}}", "to be a list like"),
        ("a: {ros__parameters: {registration: {distance: far}}}", "to be a number like 10.0, got 'far'"),
    ],
)
def test_files_that_make_no_sense_are_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_registration(file)
    assert "bad.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("read", [read_registration, read_camera])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"^expected YAML, found no file at .*nope\.yaml: check the path$"
    ):
        read(tmp_path / "nope.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"homography": (0.0,) * 9}, "homography to have an inverse"),
        ({"homography": (float("nan"),) * 9}, "9 finite numbers"),
        ({"rotation": (1.0, 0, 0, 0, 1.0, 0, 0, 0, 2.0)}, "to be a rotation"),
        ({"rotation": (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)}, "to be a rotation"),
        ({"translation": (0.0, 0.0)}, "3 finite numbers"),
        ({"distance": 0.0}, "distance over 0 m"),
        ({"distance": float("inf")}, "distance over 0 m"),
        ({"visible_size": (640, 0)}, r"width and height, got \[640, 0\]"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RegistrationSettings(**change)


CAMERA = CameraModel(
    640, 480, (500.0, 0, 320.0, 0, 501.0, 240.0, 0, 0, 1.0), (-0.3, 0.1, 0, 0, 1e-7), "plumb_bob"
)


def test_mode_chooses_the_registration() -> None:
    assert make_registration(RegistrationSettings()) is None
    homography = RegistrationSettings(mode="homography", visible_size=(640, 480))
    assert make_registration(homography) == HomographyRegistration(homography.homography, (640, 480), (0, 0))
    extrinsics = RegistrationSettings(mode="extrinsics")
    found = make_registration(extrinsics, CAMERA, CAMERA)
    assert isinstance(found, ExtrinsicRegistration)
    with pytest.raises(ValueError, match="none of the infrared camera"):
        make_registration(extrinsics, CAMERA)


def test_camera_file_is_read_as_written(tmp_path: Path) -> None:
    write_camera(tmp_path / "camera.yaml", CAMERA, "front")
    assert read_camera(tmp_path / "camera.yaml") == CAMERA
    assert yaml.safe_load((tmp_path / "camera.yaml").read_text())["projection_matrix"]["data"][3] == 0.0


def test_camera_file_of_camera_calibration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ost.yaml"
    file.write_text(
        "image_width: 640\nimage_height: 480\ncamera_name: narrow_stereo\n"
        "camera_matrix:\n  rows: 3\n  cols: 3\n"
        "  data: [438.78, 0., 305.59, 0., 437.35, 243.74, 0., 0., 1.]\n"
        "distortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  cols: 5\n"
        "  data: [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]\n"
    )
    camera = read_camera(file)
    assert (camera.width, camera.k[4], camera.d[0]) == (640, 437.35, -0.361976)


@pytest.mark.parametrize("text", ["image_width: 640", "[]", "3", "image_width: {}\nimage_height: 3"])
def test_other_files_are_no_cameras(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"other\.yaml"):
        read_camera(tmp_path / "other.yaml")
