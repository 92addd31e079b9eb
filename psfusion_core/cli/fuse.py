"""``psfusion fuse``: fuses image files or folders into fused images, masks and overlays."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.base.wording import one_line
from psfusion_core.cameras.image_files import FilePair, pair_folders, read_infrared, read_visible, write_image
from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.unpaired import report_unpaired
from psfusion_core.distribution import run_tasks
from psfusion_core.distribution.place import add_place_arguments, place_of
from psfusion_core.engines.memory import free_memory, is_out_of_memory
from psfusion_core.fusion.compose import overlay
from psfusion_core.fusion.fuser import Fuser
from psfusion_core.registration import Registration, make_registration, read_camera, read_registration

EPILOG = """examples:
  psfusion fuse --visible data/vi --infrared data/ir --output fused/
  psfusion fuse --visible data/vi --infrared data/ir --registration registration.yaml --output fused/
  psfusion fuse --visible data/vi --infrared data/ir --output fused/ --on ray=auto

Both images must show the same scene, pixel by pixel. Otherwise, give --registration a file that psfusion
calibrate wrote; in mode extrinsics, the calibration files of both cameras are needed as well.

Images are paired by name without suffix (two single files may have different names). The output folder gets
fused/NAME.png, mask/NAME.png (class index, 8 bit) and overlay/NAME.png. Pairs that cannot be fused are
reported and skipped; the exit status is then 1."""

FOLDERS = ("fused", "mask", "overlay")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visible", type=Path, required=True, help="visible image or folder of images")
    parser.add_argument("--infrared", type=Path, required=True, help="infrared image or folder, 8 or 16 bit")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to; created if missing")
    parser.add_argument("--model", default="psfusion_lite", help="psfusion_lite (default) or psfusion")
    parser.add_argument(
        "--weights", default="default",
        help="checkpoint (.safetensors or the authors' .pth; default: the shipped one)",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--engine", default="auto", help="auto (default), torch, torch-compile, onnxruntime or tensorrt"
    )
    parser.add_argument("--precision", default="auto", help="auto (default), fp32, fp16 or bf16")
    parser.add_argument(
        "--registration", type=Path, metavar="YAML", help="registration file from psfusion calibrate"
    )
    parser.add_argument(
        "--visible-camera", type=Path, metavar="YAML",
        help="calibration of the visible camera, for a registration in mode extrinsics",
    )  # fmt: skip
    parser.add_argument(
        "--infrared-camera", type=Path, metavar="YAML", help="calibration of the infrared camera, likewise"
    )
    parser.add_argument(
        "--opacity", type=float, default=0.5, help="opacity of the overlay's classes, 0 to 1 (default: 0.5)"
    )
    add_place_arguments(parser)


def run(options: argparse.Namespace) -> int:
    pairing = pair_folders(options.visible, options.infrared)
    targets = [(options.output / folder).resolve() for folder in FOLDERS]
    for source in (options.visible, options.infrared):
        if source.resolve() in targets or source.resolve().parent in targets:
            raise CommandError(f"{source} would be overwritten: choose another --output")
    if not 0.0 <= options.opacity <= 1.0:
        raise CommandError(f"--opacity is {options.opacity}; expected 0 to 1")
    start = FusePairs(
        (options.model, options.weights, options.device, options.engine, options.precision),
        load_registration(options),
        options.output.absolute(),  # because workers may have another working directory
        options.opacity,
    )
    place = place_of(options, options.device)
    for folder in FOLDERS:
        (options.output / folder).mkdir(parents=True, exist_ok=True)
    skipped = report_unpaired(pairing)
    tasks = [FilePair(name, *(path.absolute() for path in paths)) for name, *paths in pairing.pairs]
    outcomes = run_tasks(tasks, start, place)
    for name, problem in tqdm(outcomes, total=len(pairing.pairs), desc="fusing", unit="pair", disable=None):
        if problem:
            skipped += 1
            tqdm.write(f"skipped {name}: {problem}", file=sys.stderr)
    fused = len(pairing.pairs) + len(pairing.unpaired) - skipped
    print(f"{fused} fused, {skipped} skipped, in {options.output}")
    return 1 if skipped else 0


def load_registration(options: argparse.Namespace) -> Registration | None:
    """Read the registration and the camera files; None without --registration.

    Raises:
        CommandError: Cameras are given without a registration.
        OSError, ValueError: A file cannot be read, or the files do not fit together.
    """
    files = (options.visible_camera, options.infrared_camera)
    if options.registration is None:
        if any(files):
            raise CommandError("--visible-camera and --infrared-camera need --registration as well")
        return None
    cameras = [file and read_camera(file) for file in files]
    return make_registration(read_registration(options.registration), *cameras)


@dataclass(frozen=True)
class FusePairs:
    """Starts a worker that fuses pairs of files (see `run_tasks`).

    Attributes:
        engine: Model, weights, device, engine and precision, as `Fuser` takes them.
        registration: Where the infrared image lies on the visible image; None if they are aligned.
        output: The folder that contains those of FOLDERS.
        opacity: The opacity of the overlay.
    """

    engine: tuple[str, str, str, str, str]
    registration: Registration | None
    output: Path
    opacity: float

    def __call__(self) -> Callable[[FilePair], tuple[str, str]]:
        fuser = Fuser(*self.engine, self.registration)
        tqdm.write(fuser.description, file=sys.stderr)

        def fuse(pair: FilePair) -> tuple[str, str]:
            """Return the name of a pair and why it could not be fused; empty if it was fused."""
            try:
                fuse_pair(fuser, pair, self.output, self.opacity)
            except ValueError as error:
                return pair.name, str(error)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                reason = one_line(error)
            else:
                return pair.name, ""
            fuser.release()  # here, because the error held the memory of the pair
            free_memory()
            return pair.name, f"expected memory for a pair of this size, got none ({reason}): scale it down"

        return fuse


def fuse_pair(fuser: Fuser, pair: FilePair, output: Path, opacity: float) -> None:
    """Fuse one pair of files and write its three images, each whole or not at all.

    Raises:
        ValueError: A file is unreadable, or the two images do not fit together.
    """
    result = fuser(read_visible(pair.visible), read_infrared(pair.infrared))
    pictures = (result.image, result.mask, overlay(result.image, result.mask, opacity))
    for folder, picture in zip(FOLDERS, pictures, strict=True):
        with replacing(output / folder / f"{pair.name}.png") as file:
            write_image(file, picture)
