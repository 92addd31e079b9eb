"""Registration in the running node: settings from a parameter file, cameras from camera_info."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, PERIOD, START, Peer, pixels_of, random_pair
from node_process import REAL_NODE, NodeProcess
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core import Fuser
from psfusion_core.registration import (
    CameraModel,
    RegistrationSettings,
    make_registration,
    write_registration,
)

VISIBLE, INFRARED = (160, 128), (120, 96)
K = {
    VISIBLE: (150.0, 0.0, 79.5, 0.0, 150.0, 63.5, 0.0, 0.0, 1.0),
    INFRARED: (100.0, 0.0, 58.0, 0.0, 100.0, 49.0, 0.0, 0.0, 1.0),
}
DISTORTION = (-0.1, 0.02, 0.0, 0.0, 0.0)
HOMOGRAPHY = RegistrationSettings(
    "homography", (0.7, 0.02, 3.0, -0.01, 0.72, 2.0, 1e-5, 0.0, 1.0), VISIBLE, INFRARED
)
EXTRINSICS = RegistrationSettings("extrinsics", translation=(0.05, 0.0, 0.0), distance=4.0)


def pair(number: int) -> tuple[Image, Image]:
    visible, _ = random_pair(number, height=VISIBLE[1], width=VISIBLE[0])
    _, infrared = random_pair(number, height=INFRARED[1], width=INFRARED[0])
    return visible, infrared


def camera_info(size: tuple[int, int]) -> CameraInfo:
    return CameraInfo(width=size[0], height=size[1], k=K[size], d=DISTORTION, distortion_model="plumb_bob")


def camera_model(size: tuple[int, int]) -> CameraModel:
    return CameraModel(*size, K[size], DISTORTION, "plumb_bob")


@pytest.fixture(scope="module")
def fuser(exported_network: None) -> Fuser:
    return Fuser()


def expected(fuser: Fuser, settings: RegistrationSettings, number: int) -> np.ndarray:
    fuser.registration = make_registration(settings, camera_model(VISIBLE), camera_model(INFRARED))
    visible, infrared = pair(number)
    return fuser(pixels_of(visible), pixels_of(infrared)).image


def parameter_file(tmp_path: Path, settings: RegistrationSettings) -> list[str]:
    path = tmp_path / "registration.yaml"
    write_registration(path, settings, "of a test")
    return ["--params-file", str(path)]


def same(image: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two processes computed the same; sums may be rounded in another order."""
    return bool(np.abs(image.astype(int) - other).max() <= 1)


def test_a_homography_from_a_parameter_file_lays_the_infrared_onto_the_visible_image(
    session_environment: dict[str, str], tmp_path: Path, fuser: Fuser
) -> None:
    arguments = parameter_file(tmp_path, HOMOGRAPHY)
    with NodeProcess(REAL_NODE, session_environment, FAST_DIAGNOSTICS, arguments=arguments) as node:
        assert "registration homography" in node.wait_until_started()
        with Peer(("fused/image",)) as peer:
            peer.connect()
            peer.send(*pair(1))
            peer.wait_until(lambda: peer.sets(), "a pair")

            fused = pixels_of(peer.received["fused/image"][0])
    assert same(fused, expected(fuser, HOMOGRAPHY, 1))
    assert not same(fused, expected(fuser, RegistrationSettings(), 1)), "it does make a difference"


def test_extrinsics_wait_for_both_camera_infos_and_say_so(
    session_environment: dict[str, str], tmp_path: Path, fuser: Fuser
) -> None:
    arguments = parameter_file(tmp_path, EXTRINSICS)
    with NodeProcess(REAL_NODE, session_environment, FAST_DIAGNOSTICS, arguments=arguments) as node:
        node.wait_until_started()
        with Peer(("fused/image",)) as peer:
            peer.connect()
            peer.send(*pair(1))
            peer.wait_until(lambda: peer.status("engine").get("rejected") == "1", "the rejection")
            said = peer.status("engine")["last_rejection"]
            assert "/visible/camera_info and /infrared/camera_info" in said

            reports = len(peer.received["/diagnostics"])
            peer.camera_info.publish(camera_info(VISIBLE))
            peer.infrared_info.publish(camera_info(INFRARED))
            peer.wait_until(lambda: len(peer.received["/diagnostics"]) > reports + 1, "the node to go on")
            peer.send(*pair(2))
            peer.wait_until(lambda: START + 2 * PERIOD in peer.sets(), "a pair")

            fused = pixels_of(peer.received["fused/image"][0])
    assert same(fused, expected(fuser, EXTRINSICS, 2))
    assert not same(fused, expected(fuser, RegistrationSettings(), 2))
