"""``psfusion simulate``: renders a drive seen by two cameras, as a rosbag2 folder or as images."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.sizes import METAVAR, ImageSize, parse_size
from psfusion_core.simulation.drive import Drive
from psfusion_core.simulation.drive_writer import write_bag, write_images
from psfusion_core.simulation.scene import MIN_SIZE

EPILOG = """example:
  psfusion simulate --output drive --time-of-day night --infrared-bits 16

A bag has the topics /visible/image (rgb8), /infrared/image (mono8 or mono16), /ground_truth/label (mono8,
class indices), and one camera_info per camera. --format images writes vi/, ir/ and label/ with PNG files of
the same names. The same options give the same frames on every machine."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, required=True, help="folder to create")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier drive in --output")
    parser.add_argument(
        "--format", choices=("bag", "images"), default="bag", help="what to write (default: bag)"
    )
    parser.add_argument(
        "--storage", choices=("sqlite3", "mcap"), default="sqlite3", help="bag format (default: sqlite3)"
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="length of the drive (default: 6)")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second (default: 10)")
    parser.add_argument(
        "--size", type=parse_size, default=ImageSize(640, 480), metavar=METAVAR,
        help=f"size of both images, {MIN_SIZE}x{MIN_SIZE} or larger (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--time-of-day", choices=("night", "day", "both"), default="both",
        help="both (default) means night in the first half and day in the second",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, help="number that determines street and traffic (default: 0)"
    )
    parser.add_argument(
        "--infrared-bits", type=int, choices=(8, 16), default=8,
        help="8 (default) for automatic gain, or 16 for radiometric counts of 0.04 K",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    width, height = options.size
    try:
        drive = Drive(
            options.seconds,
            options.rate,
            options.time_of_day,
            height,
            width,
            options.seed,
            options.infrared_bits,
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
    with replacing_folder(options.output, options.overwrite) as folder:
        frames = tqdm(drive.frames(), total=len(drive), desc="simulating", unit="frame", disable=None)
        try:
            if options.format == "bag":
                write_bag(frames, folder, drive.camera, options.storage)
            else:
                write_images(frames, folder)
        except ValueError as error:
            raise CommandError(str(error)) from None
        except ImportError as error:
            raise CommandError(
                f"--format bag needs the package rosbags ({error}): pip install rosbags"
            ) from None
    print(f"{len(drive)} frames in {options.output}")
    return 0


@contextmanager
def replacing_folder(output: Path, overwrite: bool) -> Iterator[Path]:
    """Yield the path of a new folder, which is moved to `output` if the block succeeds.

    If the block fails or is interrupted, `output` stays unchanged.

    Args:
        output: The final path of the folder.
        overwrite: Whether an earlier drive at `output` may be replaced.

    Raises:
        CommandError: `output` exists and may not be replaced.
    """
    if os.path.lexists(output):
        if not overwrite:
            raise CommandError(f"{output} exists: choose another --output, or add --overwrite to replace it")
        if not _is_drive(output):
            raise CommandError(
                f"{output} is not an earlier drive: --overwrite leaves it alone, choose another --output"
            )
    output.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        fresh, earlier = scratch / "new" / output.name, scratch / "earlier"
        fresh.parent.mkdir()
        yield fresh
        if os.path.lexists(output):
            output.rename(earlier)
        try:
            fresh.rename(output)
        except OSError:
            if earlier.exists():
                earlier.rename(output)
            raise
    finally:
        shutil.rmtree(scratch)


def _is_drive(folder: Path) -> bool:
    """Whether a folder is a bag, a folder of simulated images, or empty."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    names = {path.name for path in folder.iterdir()}
    is_bag = "metadata.yaml" in names and all(name.endswith((".yaml", ".db3", ".mcap")) for name in names)
    return not names or is_bag or names == {"vi", "ir", "label"}
