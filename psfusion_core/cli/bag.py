"""``psfusion bag``: recorded bags in; bags with fused images, masks and overlays out."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from tqdm import tqdm

from psfusion_core.bags.bag_reader import BagError
from psfusion_core.bags.bag_run import BagRun, BagSettings, check_outputs, fuse_bags
from psfusion_core.bags.camera_topics import TopicNames
from psfusion_core.cli.errors import CommandError
from psfusion_core.distribution.place import add_place_arguments, place_of
from psfusion_core.fusion.parameter_files import read_parameters

EPILOG = """examples:
  psfusion bag drive drive_fused
  psfusion bag drive drive_fused --parameters config/psfusion.yaml --set sync.tolerance_ms=30
  psfusion bag bags/* fused/ --visible-topic /front/image_raw --infrared-topic /thermal/image_raw --on ray

The result has all topics of the bag and those of the node: /fused/image, /fused/camera_info, /semantic/mask
and /semantic/overlay, with the stamp and frame of the visible image. Images are checked, paired and fused as
by the node with the same parameters, except that no pair is dropped to save time.

To continue an interrupted run, give the same command again. Bags, images and pairs that cannot be used are
reported and skipped; the exit status is then 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bags", nargs="+", type=Path, metavar="IN",
        help="rosbag2 folder (sqlite3 or mcap), one of its files, or ROS 1 bag; several are allowed",
    )  # fmt: skip
    parser.add_argument(
        "output", type=Path, metavar="OUT", help="bag to write, or the folder for the results of several bags"
    )
    parser.add_argument(
        "--visible-topic", metavar="TOPIC", help="visible images (default: found by type and name)"
    )
    parser.add_argument(
        "--infrared-topic", metavar="TOPIC", help="infrared images (default: found by type and name)"
    )
    parser.add_argument(
        "--visible-info", metavar="TOPIC", help="visible camera_info (default: next to its images)"
    )
    parser.add_argument(
        "--infrared-info", metavar="TOPIC", help="infrared camera_info (default: next to its images)"
    )
    parser.add_argument(
        "--parameters", type=Path, action="append", default=[], metavar="YAML",
        help="parameters of the node, such as config/psfusion.yaml or the file from psfusion calibrate; "
        "may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE",
        help="one parameter, such as engine=torch or gain.polarity=black_hot; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--storage", choices=("sqlite3", "mcap"), help="output format (default: as the input; ROS 1: mcap)"
    )
    parser.add_argument("--only-fused", action="store_true", help="leave out the topics of the input bag")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output bag")
    parser.add_argument(
        "--video", type=Path, metavar="MP4",
        help="also write a video of both images, the fused image and the classes side by side",
    )  # fmt: skip
    parser.add_argument(
        "--contact-sheet",
        type=Path,
        metavar="JPG",
        help="also write a picture of six such rows",
    )
    add_place_arguments(parser)


def run(options: argparse.Namespace) -> int:
    parameters = read_parameters(options.parameters, options.set)
    settings = BagSettings(
        parameters,
        TopicNames(
            options.visible_topic, options.infrared_topic, options.visible_info, options.infrared_info
        ),
        options.storage,
        options.only_fused,
        options.video,
        options.contact_sheet,
    )
    place = place_of(options, parameters.device)
    pairs = plan_outputs(options)
    runs, skipped = open_runs(pairs, settings, options.overwrite)
    try:
        chunks = fuse_bags(runs, settings, place)
        with tqdm(total=sum(bag.expected for bag in runs), desc="fusing", unit="pair", disable=None) as bar:
            for _ in chunks:
                bar.update(sum(bag.report.finished for bag in runs) - bar.n)
            bar.total = bar.n
    except KeyboardInterrupt:
        print("psfusion bag: give the same command again to continue from here", file=sys.stderr)
        raise
    for bag in runs:
        print(f"{bag.output}: " + "\n  ".join(bag.report.lines()))
    return 1 if skipped or not all(bag.report.is_complete for bag in runs) else 0


def plan_outputs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Return each bag with the path of its result.

    Raises:
        CommandError: The options do not go together, or a result already exists.
    """
    bags: list[Path] = options.bags
    if len(bags) > 1 and (options.video or options.contact_sheet):
        raise CommandError("--video and --contact-sheet show one bag: use them with a single bag")
    pairs = [(bag, options.output / bag.stem if len(bags) > 1 else options.output) for bag in bags]
    check_outputs(pairs)
    for _, output in pairs:
        if os.path.lexists(output) and not is_bag(output):
            raise CommandError(f"{output} exists and is no bag: choose another output")
    if len(bags) == 1 and options.output.exists() and not options.overwrite:
        raise CommandError(f"{options.output} exists: choose another output, or add --overwrite")
    return pairs


def is_bag(folder: Path) -> bool:
    """Whether a folder holds a bag and nothing else."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    names = [path.name for path in folder.iterdir()]
    return "metadata.yaml" in names and all(name.endswith((".yaml", ".db3", ".mcap")) for name in names)


def open_runs(
    pairs: list[tuple[Path, Path]], settings: BagSettings, overwrite: bool
) -> tuple[list[BagRun], int]:
    """Open the bags that have no result yet. If there are several, unusable bags are skipped.

    An old result is removed only after its bag has been opened.

    Returns:
        The opened bags, and the number of skipped bags.
    """
    runs: list[BagRun] = []
    skipped = 0
    for source, output in pairs:
        if output.exists() and not overwrite:
            print(f"{output} already exists", file=sys.stderr)
            continue
        try:
            run = BagRun(len(runs), source, output, settings)
        except BagError as error:
            if len(pairs) == 1:
                raise
            skipped += 1
            tqdm.write(f"skipped: {error}", file=sys.stderr)
            continue
        if output.exists():
            shutil.rmtree(output)
        runs.append(run)
    return runs, skipped
