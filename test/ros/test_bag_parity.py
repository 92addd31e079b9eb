"""One drive, three ways: the node over DDS, `psfusion bag`, and `psfusion fuse` give the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Peer, pixels_of, stamp_of
from node_process import REAL_NODE, NodeProcess
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image

from psfusion_core import Fuser
from psfusion_core.bags.bag_reader import Bag
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.image_files import read_label, read_visible, write_image
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cli import main

SIZE = "96x80"
ENGINE = ("engine=torch", "precision=fp32", "device=cpu", "gain.polarity=black_hot")
TOPICS = {
    "/fused/image": "fused/image",
    "/semantic/mask": "semantic/mask",
    "/semantic/overlay": "semantic/overlay",
    "/fused/camera_info": "fused/camera_info",
}


def simulate(folder: Path, bits: int) -> Path:
    drive = ["--seconds", "1", "--rate", "6", "--size", SIZE, "--infrared-bits", str(bits)]
    assert main(["simulate", "--output", str(folder / "drive"), *drive]) == 0
    return folder / "drive"


def read(bag: Path) -> dict[str, list[Image | CameraInfo]]:
    with Bag(bag) as opened:
        found: dict[str, list[Image | CameraInfo]] = {topic.name: [] for topic in opened.topics}
        for topic, _, data in opened.messages(opened.topics):
            kind = CameraInfo if topic.type.endswith("CameraInfo") else Image
            found[topic.name].append(deserialize_message(bytes(data), kind))
    return found


def fuse_with_node(
    drive: dict[str, list[Image | CameraInfo]], environment: dict[str, str]
) -> dict[int, dict[str, Image | CameraInfo]]:
    """Send the frames of a drive to the node, a pair when the one before is fused; return its outputs."""
    parameters = [word.replace("=", ":=") for word in ENGINE]
    with NodeProcess(REAL_NODE, environment, FAST_DIAGNOSTICS, *parameters) as node:
        node.wait_until_started()
        with Peer() as peer:
            peer.connect()
            before = len(peer.received["/diagnostics"])
            peer.camera_info.publish(drive["/visible/camera_info"][0])
            peer.wait_until(lambda: len(peer.received["/diagnostics"]) > before + 1, "the node to go on")
            pairs = zip(drive["/visible/image"], drive["/infrared/image"], strict=True)
            for number, (visible, infrared) in enumerate(pairs, 1):
                peer.send(visible, infrared)
                peer.wait_until(lambda number=number: len(peer.sets()) == number, "a set of outputs")  # type: ignore[misc]
            return peer.sets()


@pytest.mark.parametrize("bits", [pytest.param(8, marks=pytest.mark.slow), 16])
def test_node_and_bag_publish_the_same_messages_for_the_same_frames(
    tmp_path: Path, session_environment: dict[str, str], bits: int
) -> None:
    bag = simulate(tmp_path, bits)
    words = [word for setting in ENGINE for word in ("--set", setting)]
    assert main(["bag", str(bag), str(tmp_path / "fused"), *words]) == 0
    drive, offline = read(bag), read(tmp_path / "fused")

    live = fuse_with_node(drive, session_environment)

    assert len(live) == 6
    for number, stamp in enumerate(sorted(live)):
        for topic, name in TOPICS.items():
            ours, theirs = offline[topic][number], live[stamp][name]
            assert stamp_of(ours) == stamp
            assert ours == theirs, f"{topic} at {stamp}"


def test_fuser_and_fuse_give_the_pixels_of_the_bag(tmp_path: Path) -> None:
    bag = simulate(tmp_path, 8)
    words = ["--set", "engine=torch", "--set", "precision=fp32", "--set", "device=cpu"]
    assert main(["bag", str(bag), str(tmp_path / "fused"), *words]) == 0
    drive, offline = read(bag), read(tmp_path / "fused")
    fuser = Fuser(device="cpu", engine="torch", precision="fp32")
    for folder in ("vi", "ir"):
        (tmp_path / folder).mkdir()
    pairs = list(zip(drive["/visible/image"], drive["/infrared/image"], strict=True))
    for number, (visible, infrared) in enumerate(pairs):
        color, heat = to_visible(to_frame(visible)), to_infrared(to_frame(infrared))
        result = fuser(color, heat)
        np.testing.assert_array_equal(pixels_of(offline["/fused/image"][number]), result.image)
        np.testing.assert_array_equal(pixels_of(offline["/semantic/mask"][number]), result.mask)
        write_image(tmp_path / f"vi/{number}.png", color)
        write_image(tmp_path / f"ir/{number}.png", heat)
    folders = ["--visible", str(tmp_path / "vi"), "--infrared", str(tmp_path / "ir")]
    engine = ["--engine", "torch", "--precision", "fp32", "--device", "cpu"]
    assert main(["fuse", *folders, *engine, "--output", str(tmp_path / "files")]) == 0
    for number in range(len(pairs)):
        files = tmp_path / "files"
        for folder, topic, reader in (
            ("fused", "/fused/image", read_visible),
            ("mask", "/semantic/mask", read_label),
            ("overlay", "/semantic/overlay", read_visible),
        ):
            wanted = pixels_of(offline[topic][number])
            np.testing.assert_array_equal(reader(files / folder / f"{number}.png"), wanted)
