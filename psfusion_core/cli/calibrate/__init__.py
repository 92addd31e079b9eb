"""``psfusion calibrate``: registers infrared images on visible ones, from scenes or a checkerboard."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from psfusion_core.bags.bag_reader import Bag
from psfusion_core.bags.camera_topics import TopicNames, find_topics
from psfusion_core.cameras.image_files import pair_folders, read_infrared, read_visible, write_image
from psfusion_core.cameras.thermal_gain import stretch
from psfusion_core.cli.calibrate.bag_pairs import read_bag_pairs
from psfusion_core.cli.calibrate.before_after import draw_before_after
from psfusion_core.cli.errors import CommandError
from psfusion_core.registration.calibration_verdict import GOOD_DISAGREEMENT, GOOD_RESIDUAL, judge
from psfusion_core.registration.checkerboard import Board, calibrate_stereo, find_view, fit_homography
from psfusion_core.registration.pixel_map import FloatArray, Registration, Size
from psfusion_core.registration.registration_files import write_camera, write_registration
from psfusion_core.registration.registration_settings import RegistrationSettings, make_registration
from psfusion_core.registration.scene_calibration import MINIMUM_PAIRS, STEPS, calibrate

EPILOG = """examples:
  psfusion calibrate --visible data/vi --infrared data/ir --output calibration/
  psfusion calibrate --bag drive --output calibration/
  psfusion calibrate --bag drive --visible-topic /left --infrared-topic /right --output calibration/
  psfusion calibrate --bag board --checkerboard 9x6 --square 0.05 --output calibration/

Natural scenes give one homography for all pairs. It is accurate if the scenes are far away compared with the
distance between the cameras. Use ten or more pairs of different scenes in which both cameras see many edges.
The cameras must look in the same direction with about the same field of view: up to 15 % of the width apart,
5 degrees of rotation and 12 % of scale.

A checkerboard of COLSxROWS inner corners, heated so that the infrared camera sees it, gives the intrinsics of
both cameras and the extrinsics between them. Hold it still at many places of the image: near, far and tilted.

The output folder gets registration.yaml (for psfusion fuse --registration and the node's --params-file),
calibration.png (edges of the infrared over the visible image, before and after) and, with a checkerboard,
visible_camera.yaml and infrared_camera.yaml. The printed verdict is "good", or "rough" with advice. If no
registration is reliable, nothing is written and the exit status is 2."""

Images = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visible", type=Path, help="folder of visible images")
    parser.add_argument("--infrared", type=Path, help="folder of infrared images with the same names")
    parser.add_argument("--bag", type=Path, help="rosbag2 folder or ROS 1 bag, instead of the two folders")
    parser.add_argument(
        "--visible-topic", metavar="TOPIC", help="visible images in the bag (default: found by type and name)"
    )
    parser.add_argument(
        "--infrared-topic", metavar="TOPIC", help="infrared images in the bag (default: likewise)"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write to; created if missing")
    parser.add_argument(
        "--pairs", type=int, default=40, metavar="N", help="use up to N pairs, evenly spread (default: 40)"
    )
    parser.add_argument("--checkerboard", metavar="COLSxROWS", help="inner corners of the board, such as 9x6")
    parser.add_argument("--square", type=float, metavar="METRES", help="side length of a square of the board")
    parser.add_argument(
        "--homography", action="store_true", help="fit one homography to the board instead of extrinsics"
    )
    parser.add_argument(
        "--distance", type=float, default=10.0, metavar="METRES",
        help="distance at which the extrinsics align the images (default: 10)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    board = parse_board(options)
    least = 1 if board else MINIMUM_PAIRS
    if options.pairs < least:
        raise CommandError(f"--pairs is {options.pairs}; expected at least {least}")
    if not options.distance > 0.0:
        raise CommandError(f"--distance is {options.distance}; expected more than 0 metres")
    pairs = read_pairs(options, least)
    if board is None:
        calibrate_scenes(pairs, options)
    else:
        calibrate_board(pairs, board, options)
    print(f"written to {options.output}: registration.yaml, calibration.png")
    return 0


def parse_board(options: argparse.Namespace) -> Board | None:
    """Return the board of --checkerboard and --square; None for natural scenes.

    Raises:
        CommandError: The options do not go together, or have a wrong format.
    """
    if options.checkerboard is None:
        if options.square is not None or options.homography:
            raise CommandError("--square and --homography need --checkerboard as well")
        return None
    match = re.fullmatch(r"(\d{1,3})x(\d{1,3})", options.checkerboard)
    if not match or min(int(match[1]), int(match[2])) < 3:
        raise CommandError(
            f"--checkerboard is {options.checkerboard!r}; expected inner corners COLSxROWS, at least 3x3"
        )
    if options.square is None or not options.square > 0.0:
        raise CommandError("--checkerboard needs --square as well, more than 0 metres")
    return Board(int(match[1]), int(match[2]), options.square)


def read_pairs(options: argparse.Namespace, least: int) -> list[Images]:
    """Read the pairs of the bag or of the two folders.

    Args:
        options: The options of the command.
        least: The smallest number of pairs that the folders must have.

    Raises:
        CommandError: The options name neither or both of them, or there are too few pairs.
        BagError, FileNotFoundError: The bag or a folder does not exist.
    """
    folders = (options.visible, options.infrared)
    if (options.bag is None) == (folders == (None, None)) or (options.bag is None and None in folders):
        raise CommandError("expected either --bag, or --visible and --infrared")
    if options.bag is not None:
        with Bag(options.bag) as bag:
            cameras = find_topics(bag, TopicNames(options.visible_topic, options.infrared_topic))
            print(f"{bag.path}: visible {cameras.visible.name}, infrared {cameras.infrared.name}")
            return stretch_all(read_bag_pairs(bag, cameras, options.pairs))
    pairs = pair_folders(*folders).pairs
    if len(pairs) < least:
        raise CommandError(
            f"expected at least {least} pairs, got {len(pairs)}: add pairs of different scenes"
        )
    chosen = np.linspace(0, len(pairs) - 1, min(options.pairs, len(pairs))).round().astype(int)
    files = (pairs[number] for number in chosen)
    return stretch_all((read_visible(pair.visible), read_infrared(pair.infrared)) for pair in files)


def stretch_all(pairs: Iterable[tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]]) -> list[Images]:
    """Read pairs one by one, and stretch the infrared image of each to 8 bits."""
    bar = tqdm(pairs, desc="reading", unit="pair", disable=None)
    return [(visible, stretch(infrared)) for visible, infrared in bar]


def calibrate_scenes(pairs: list[Images], options: argparse.Namespace) -> None:
    with tqdm(total=STEPS, desc="aligning", unit="step", disable=None) as bar:
        found = calibrate(pairs, bar.update)
    report = (
        f"{len(pairs)} pairs; the corners of the image as the even and as the odd pairs place them differ by "
        f"{found.disagreement:.2f} infrared pixels (mean of 4); correlation of the edges "
        f"{found.correlation:.2f}"
    )
    verdict = judge(
        found.disagreement, GOOD_DISAGREEMENT * pairs[0][1].shape[1], "infrared pixels",
        "use more pairs with more different scenes and many edges, or a heated checkerboard",
    )  # fmt: skip
    say(report, verdict)
    write_homography(pairs, found.matrix, f"{report}\n{verdict}", options.output)


def calibrate_board(pairs: list[Images], board: Board, options: argparse.Namespace) -> None:
    """Find the board in all pairs, calibrate the cameras with it, and write the result."""
    bar = tqdm(pairs, desc="finding the board", unit="pair", disable=None)
    views = [find_view(visible, infrared, board) for visible, infrared in bar]
    seen = [pair for pair, view in zip(pairs, views, strict=True) if view is not None]
    found = [view for view in views if view is not None]
    if options.homography:
        matrix, residual = fit_homography(found)
        report = (
            f"{len(found)} of {len(pairs)} pairs show the board; root mean square distance of its infrared "
            f"corners from the visible ones under the homography: {residual:.2f} infrared pixels"
        )
        verdict = judge(
            residual, GOOD_RESIDUAL, "infrared pixels",
            "hold the board still, always at the distance that matters, or leave --homography out",
        )  # fmt: skip
        say(report, verdict)
        write_homography(seen, matrix, f"{report}\n{verdict}", options.output)
        return
    stereo = calibrate_stereo(found, board, size_of(pairs[0][0]), size_of(pairs[0][1]))
    report = (
        f"{len(found)} of {len(pairs)} pairs show the board; root mean square distance of its corners from "
        f"where both calibrated cameras project them: {stereo.residual:.2f} pixels; the cameras are "
        f"{np.linalg.norm(stereo.translation):.3f} m apart"
    )
    verdict = judge(
        stereo.residual, GOOD_RESIDUAL, "pixels",
        "hold the board still, heat it evenly, and show it near, far and tilted all over the images",
    )  # fmt: skip
    say(report, verdict)
    settings = RegistrationSettings(
        mode="extrinsics",
        visible_size=size_of(pairs[0][0]),
        infrared_size=size_of(pairs[0][1]),
        rotation=tuple(stereo.rotation.ravel().tolist()),
        translation=tuple(stereo.translation.tolist()),
        distance=options.distance,
    )
    # The picture shows the board, which is nearer than --distance.
    at_board = make_registration(replace(settings, distance=stereo.distance), stereo.visible, stereo.infrared)
    write(seen, at_board, settings, f"{report}\n{verdict}", options.output)
    for name, camera in (("visible_camera", stereo.visible), ("infrared_camera", stereo.infrared)):
        write_camera(options.output / f"{name}.yaml", camera, name)
        print(f"written to {options.output}: {name}.yaml")


def say(report: str, verdict: str) -> None:
    print(f"{report}\nverdict: {verdict}")


def write_homography(pairs: list[Images], matrix: FloatArray, report: str, folder: Path) -> None:
    settings = RegistrationSettings(
        mode="homography",
        homography=tuple(matrix.ravel().tolist()),
        visible_size=size_of(pairs[0][0]),
        infrared_size=size_of(pairs[0][1]),
    )
    write(pairs, make_registration(settings), settings, report, folder)


def write(
    pairs: list[Images], drawn: Registration | None, settings: RegistrationSettings, report: str, folder: Path
) -> None:
    """Write registration.yaml, and calibration.png with some registered pairs."""
    assert drawn is not None
    folder.mkdir(parents=True, exist_ok=True)
    write_image(folder / "calibration.png", draw_before_after(pairs, drawn))
    write_registration(folder / "registration.yaml", settings, f"Written by psfusion calibrate.\n{report}")


def size_of(image: npt.NDArray[Any]) -> Size:
    return image.shape[1], image.shape[0]
