"""``psfusion fuse``: image files or folders in; fused images, masks and overlays out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from psfusion_core.classes import overlay
from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.report import report_unpaired
from psfusion_core.fuser import Fuser
from psfusion_core.images import Pair, pair_folders, read_infrared, read_visible, write_image
from psfusion_core.registration import Registration, make_registration, read_camera, read_registration

EPILOG = """example:
  psfusion fuse --visible data/vi --infrared data/ir --output fused/
  psfusion fuse --visible data/vi --infrared data/ir --registration registration.yaml --output fused/

Both images show the same scene, or --registration says how the infrared lies on the visible image: a file
that psfusion calibrate wrote, in mode extrinsics together with the calibration of both cameras.

Images are paired by name without suffix (two single files need not share it). Written are fused/NAME.png,
mask/NAME.png (class index, 8 bit) and overlay/NAME.png. What cannot be fused is named and skipped; the exit
status is then 1."""

FOLDERS = ("fused", "mask", "overlay")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visible", type=Path, required=True, help="visible image or folder of images")
    parser.add_argument("--infrared", type=Path, required=True, help="infrared image or folder, 8 or 16 bit")
    parser.add_argument("--output", type=Path, required=True, help="folder to write into; made where missing")
    parser.add_argument("--model", default="psfusion_lite", help="psfusion_lite (default) or psfusion")
    parser.add_argument("--weights", default="default", help="checkpoint (.safetensors or the authors' .pth)")
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument(
        "--engine", default="auto", help="auto (default), torch, torch-compile or onnxruntime"
    )
    parser.add_argument("--precision", default="auto", help="auto (default), fp32, fp16 or bf16")
    parser.add_argument("--registration", type=Path, metavar="YAML", help="written by psfusion calibrate")
    parser.add_argument("--visible-camera", type=Path, metavar="YAML", help="calibration, for extrinsics")
    parser.add_argument("--infrared-camera", type=Path, metavar="YAML", help="the same of the infrared one")
    parser.add_argument("--opacity", type=float, default=0.5, help="of the classes in the overlay, 0 to 1")


def run(options: argparse.Namespace) -> int:
    pairing = pair_folders(options.visible, options.infrared)
    targets = [(options.output / folder).resolve() for folder in FOLDERS]
    for source in (options.visible, options.infrared):
        if source.resolve() in targets or source.resolve().parent in targets:
            raise CommandError(f"{source} would be overwritten: choose another --output")
    if not 0.0 <= options.opacity <= 1.0:
        raise CommandError(f"--opacity is {options.opacity}; expected 0 to 1")
    registration = load_registration(options)
    fuser = Fuser(
        options.model, options.weights, options.device, options.engine, options.precision, registration
    )
    print(fuser.description, file=sys.stderr)
    for folder in FOLDERS:
        (options.output / folder).mkdir(parents=True, exist_ok=True)
    skipped = report_unpaired(pairing)
    for pair in tqdm(pairing.pairs, desc="fusing", unit="pair"):
        try:
            fuse_pair(fuser, pair, options.output, options.opacity)
        except (ValueError, torch.OutOfMemoryError) as error:
            skipped += 1
            tqdm.write(f"skipped {pair.name}: {error}", file=sys.stderr)
    fused = len(pairing.pairs) + len(pairing.unpaired) - skipped
    print(f"{fused} fused, {skipped} skipped, in {options.output}")
    return 1 if skipped else 0


def load_registration(options: argparse.Namespace) -> Registration | None:
    """Read the files of the registration; None where none is asked for.

    Raises:
        CommandError: cameras without a registration.
        OSError, ValueError: a file cannot be read, or they do not make a registration together.
    """
    files = (options.visible_camera, options.infrared_camera)
    if options.registration is None:
        if any(files):
            raise CommandError("--visible-camera and --infrared-camera need --registration beside them")
        return None
    cameras = [file and read_camera(file) for file in files]
    return make_registration(read_registration(options.registration), *cameras)


def fuse_pair(fuser: Fuser, pair: Pair, output: Path, opacity: float) -> None:
    """Fuse one pair of files and write its three pictures.

    Raises:
        ValueError: a file is unreadable, or the two do not fit together.
    """
    result = fuser(read_visible(pair.visible), read_infrared(pair.infrared))
    pictures = (result.image, result.mask, overlay(result.image, result.mask, opacity))
    for folder, picture in zip(FOLDERS, pictures, strict=True):
        write_image(output / folder / f"{pair.name}.png", picture)
