"""``psfusion calibrate`` on simulated drives: it finds the known homography and refuses nonsense."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from psfusion_core.bags.bag_reader import Bag
from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.cameras.image_files import read_infrared, write_image
from psfusion_core.cli import main
from psfusion_core.registration import read_registration
from psfusion_core.registration.calibration_verdict import CalibrationError
from psfusion_core.registration.scene_calibration import calibrate, check_plausible, corner_distance
from psfusion_core.simulation import RoadScene

WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="session")
def drives() -> list[tuple[np.ndarray, np.ndarray]]:
    """Ten scenes of ten streets, aligned."""
    frames = [
        RoadScene(seed=seed, time_of_day="night" if seed % 2 else "day", height=HEIGHT, width=WIDTH).render(
            1.0
        )
        for seed in range(10)
    ]
    return [(frame.visible, frame.infrared) for frame in frames]


def random_homography(seed: int) -> np.ndarray:
    """Move by up to 5 % of the size, turn by up to 3 degrees, scale by up to 8 %; a bit of perspective."""
    rng = np.random.default_rng(seed)
    angle, scale = np.radians(rng.uniform(-3, 3)), rng.uniform(0.92, 1.08)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([[1.0, 0, -WIDTH / 2], [0, 1.0, -HEIGHT / 2], [0, 0, 1.0]])
    shift = rng.uniform(-0.05, 0.05, 2) * (WIDTH, HEIGHT)
    inner = np.vstack([np.column_stack([turn, shift]), [*rng.uniform(-4e-5, 4e-5, 2), 1.0]])
    return np.linalg.inv(middle) @ inner @ middle


def moved(
    pairs: list[tuple[np.ndarray, np.ndarray]], matrix: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(visible, cv2.warpPerspective(infrared, matrix, (WIDTH, HEIGHT))) for visible, infrared in pairs]


def write_folders(root: Path, pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    for name in ("vi", "ir"):
        (root / name).mkdir(parents=True)
    for number, (visible, infrared) in enumerate(pairs):
        write_image(root / f"vi/{number:02d}.png", visible)
        write_image(root / f"ir/{number:02d}.png", infrared)
    return ["--visible", str(root / "vi"), "--infrared", str(root / "ir"), "--output", str(root / "out")]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_known_homography_is_found(drives: list[tuple[np.ndarray, np.ndarray]], seed: int) -> None:
    matrix = random_homography(seed)
    found = calibrate(moved(drives, matrix))
    assert corner_distance(np.eye(3), matrix, (WIDTH, HEIGHT)) > 5.0
    # Of 640 pixels, the limit is 3.
    assert corner_distance(found.matrix, matrix, (WIDTH, HEIGHT)) < 1.5


def test_command_writes_registration_and_picture_for_16_bits_and_another_size(
    drives: list[tuple[np.ndarray, np.ndarray]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = random_homography(5)
    counts = [
        (visible, cv2.resize(infrared, (WIDTH // 2, HEIGHT // 2)).astype(np.uint16) * 40 + 20000)
        for visible, infrared in moved(drives, matrix)
    ]
    assert main(["calibrate", *write_folders(tmp_path, counts)]) == 0
    assert "verdict: good: " in capsys.readouterr().out
    assert "\n# good: " in (tmp_path / "out/registration.yaml").read_text()
    settings = read_registration(tmp_path / "out/registration.yaml")
    assert (settings.visible_size, settings.infrared_size) == ((WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2))
    half = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1.0]])
    found = np.reshape(settings.homography, (3, 3))
    assert corner_distance(found, half @ matrix, (WIDTH, HEIGHT)) < 1.0
    assert read_infrared(tmp_path / "out/calibration.png").shape[1] > 2 * WIDTH


def test_images_of_different_scenes_are_refused_and_nothing_is_written(
    drives: list[tuple[np.ndarray, np.ndarray]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shuffled = [(drives[k][0], drives[(k + 4) % 10][1]) for k in range(10)]
    assert main(["calibrate", *write_folders(tmp_path, shuffled)]) == 2
    assert "expected" in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_too_few_pairs_and_mixed_sizes_are_refused(drives: list[tuple[np.ndarray, np.ndarray]]) -> None:
    with pytest.raises(CalibrationError, match="at least 4 pairs, got 3"):
        calibrate(drives[:3])
    with pytest.raises(CalibrationError, match="one size, got 2"):
        calibrate([*drives[:3], (drives[3][0], drives[3][1][:-2])])


@pytest.mark.parametrize(
    "matrix", [np.diag([-1.0, 1.0, 1.0]), np.diag([1.0, 2.0, 1.0]), [[1, 0, 0], [0, 1, 0], [-0.004, 0, 1.0]]]
)
def test_homographies_that_no_pair_of_cameras_has_are_implausible(matrix: np.ndarray) -> None:
    with pytest.raises(CalibrationError, match="look the same way"):
        check_plausible(np.array(matrix, float), (WIDTH, HEIGHT), (WIDTH, HEIGHT))


@pytest.mark.parametrize("seed", range(20))
def test_homographies_of_cameras_side_by_side_are_plausible(seed: int) -> None:
    check_plausible(random_homography(seed), (WIDTH, HEIGHT), (WIDTH, HEIGHT))


def test_bag_of_a_drive_is_read_as_its_images_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = ["simulate", "--seconds", "3", "--rate", "2", "--size", "160x120", "--seed", "4"]
    assert main([*drive, "--output", str(tmp_path / "bag")]) == 0
    assert main([*drive, "--output", str(tmp_path / "images"), "--format", "images"]) == 0
    folders = ["--visible", str(tmp_path / "images/vi"), "--infrared", str(tmp_path / "images/ir")]
    for source, name in ((["--bag", str(tmp_path / "bag")], "a"), (folders, "b")):
        assert main(["calibrate", *source, "--output", str(tmp_path / name)]) == 0
    assert f"{tmp_path / 'bag'}: visible /visible/image, infrared /infrared/image" in capsys.readouterr().out
    first, second = (read_registration(tmp_path / name / "registration.yaml") for name in "ab")
    assert first == second
    assert corner_distance(np.reshape(first.homography, (3, 3)), np.eye(3), (160, 120)) < 1.0


def test_camera_topics_of_any_name_are_found_in_a_bag_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = ["simulate", "--seconds", "0.5", "--rate", "4", "--size", "96x72"]
    assert main([*drive, "--output", str(tmp_path / "bag")]) == 0
    renamed = {"/visible/image": "/front/color/image_raw", "/infrared/image": "/thermal/image_raw"}
    with Bag(tmp_path / "bag") as bag, BagWriter(tmp_path / "renamed", "mcap") as writer:
        images = [topic for topic in bag.topics if topic.name in renamed]
        for topic in images:
            writer.add(renamed[topic.name], topic.type)
        for topic, time, data in bag.messages(images):
            writer.write(renamed[topic.name], topic.type, time, data)
    assert main(["calibrate", "--bag", str(tmp_path / "renamed"), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "renamed: visible /front/color/image_raw, infrared /thermal/image_raw" in printed.out
    assert "expected at least 4 pairs, got 2" in printed.err.splitlines()[-1]


def test_bags_that_cannot_be_used_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = tmp_path / "bag"
    drive = ["simulate", "--seconds", "0.5", "--rate", "4", "--size", "96x72", "--output", str(bag)]
    assert main(drive) == 0
    command = ["calibrate", "--output", str(tmp_path / "out"), "--bag"]
    capsys.readouterr()
    assert main([*command, str(bag), "--infrared-topic", "/thermal"]) == 2
    assert "got images on /ground_truth/label, /infrared/image, /visible/image" in capsys.readouterr().err
    metadata = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(metadata.replace("bag.db3", "../../bag.db3"))
    assert main([*command, str(bag)]) == 2
    assert "inside the bag" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"psfusion calibrate: no such file or folder: {tmp_path / 'nowhere'}\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either --bag, or --visible and --infrared"),
        (["--visible", "vi"], "either --bag, or --visible and --infrared"),
        (
            ["--visible", "vi", "--infrared", "ir", "--bag", "bag"],
            "either --bag, or --visible and --infrared",
        ),
        (["--visible", "vi", "--infrared", "ir"], "no such file or folder: vi"),
        (["--bag", "bag"], "no such file or folder: bag"),
        (["--bag", "bag", "--pairs", "3"], "--pairs is 3; expected at least 4"),
        (["--bag", "bag", "--pairs", "0", "--checkerboard", "9x6", "--square", "0.05"], "--pairs is 0"),
        (["--bag", "bag", "--distance", "0"], "--distance is 0"),
    ],
)
def test_arguments_are_looked_at_before_anything_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # where progress bars are shown
    assert main(["calibrate", "--output", "out", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("psfusion calibrate: ")
    assert message in error


def test_too_few_files_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = write_folders(tmp_path, [(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))] * 3)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["calibrate", *command]) == 2
    assert capsys.readouterr().err.startswith("psfusion calibrate: expected at least 4 pairs, got 3: ")
