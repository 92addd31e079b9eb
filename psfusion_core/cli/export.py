"""``psfusion export``: writes a network as one ONNX file and compares it with the original network."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import pair_folders, read_infrared, read_visible
from psfusion_core.cameras.thermal_gain import EIGHT_BITS, GreyScale, stretch
from psfusion_core.cameras.unpack import grey_levels, intensity, visible_image
from psfusion_core.cameras.upload import upload
from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.sizes import METAVAR, parse_size
from psfusion_core.engines.engine import Engine
from psfusion_core.engines.engine_choice import ENGINES
from psfusion_core.engines.onnx_export import export
from psfusion_core.engines.onnxruntime_engine import OnnxRuntimeEngine
from psfusion_core.fusion.placement import pad, resize
from psfusion_core.models.networks import class_names, create_model
from psfusion_core.models.psfusion import PSFusion

EPILOG = """examples:
  psfusion export --output lite.onnx
  psfusion export --output lite.onnx --precision fp16 --size 640x480 --visible data/vi --infrared data/ir
  psfusion fuse --weights lite.onnx --visible data/vi --infrared data/ir --output fused/

At every precision, the file takes float32 images of any height and width in multiples of 32 (with --size: of
that size only) and returns fused luma and class logits. It is compared with the torch engine in fp32 on your
pairs or, without them, on generated pairs. It is written only if the fused luma differs by at most
--tolerance. There is no int8, because it brought no gain (docs/performance.md)."""

TOLERANCES = {"fp32": 1e-3, "fp16": 2e-2}
GENERATED_SIZES = ((64, 96), (160, 128), (299, 401))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.onnx", help="file to write")
    parser.add_argument("--model", default="psfusion_lite", help="psfusion_lite (default) or psfusion")
    parser.add_argument(
        "--weights", default="default",
        help="checkpoint (.safetensors or the authors' .pth; default: the shipped one)",
    )  # fmt: skip
    parser.add_argument("--precision", choices=list(TOLERANCES), default="fp32", help="default: fp32")
    multiple = PSFusion.size_multiple
    parser.add_argument(
        "--size", type=partial(parse_size, least=multiple, multiple=multiple), metavar=METAVAR,
        help=f"fix the input size, in multiples of {multiple} (default: any size)",
    )  # fmt: skip
    parser.add_argument("--visible", type=Path, help="visible image or folder for the comparison")
    parser.add_argument("--infrared", type=Path, help="infrared image or folder for the comparison")
    parser.add_argument(
        "--tolerance", type=float,
        help="largest allowed difference of the luma in [0, 1] (default: 1e-3 for fp32, 2e-2 for fp16)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    if options.output.suffix != ".onnx":
        raise CommandError(f"--output {options.output}: expected a name that ends in .onnx")
    if (options.visible is None) != (options.infrared is None):
        raise CommandError("--visible and --infrared go together")
    size = (options.size.height, options.size.width) if options.size else None
    tolerance = TOLERANCES[options.precision] if options.tolerance is None else options.tolerance
    classes = class_names(options.model, options.weights)
    network = create_model(options.model, len(classes), options.weights)
    metadata = {"model": options.model, "classes": ",".join(classes)}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    print("exporting (tens of seconds)", file=sys.stderr)
    with replacing(options.output) as temporary:
        export(network, temporary, options.precision, size, metadata)
        exported = OnnxRuntimeEngine(temporary, "cpu")
        greatest, mean, share = compare(exported, ENGINES["torch"](network, "cpu", "fp32"), options)
        print(f"luma differs by {greatest:.2g} at most and {mean:.2g} on average; {share:.4%} of mask pixels")
        if not greatest <= tolerance:  # also if it is NaN
            raise CommandError(
                f"the luma differs by {greatest:.2g}, more than --tolerance {tolerance:g}: {options.output} "
                "was not written"
            )
    print(f"{options.output}: takes {options.size or f'any size in multiples of {PSFusion.size_multiple}'}")
    return 0


def compare(exported: Engine, reference: Engine, options: argparse.Namespace) -> tuple[float, float, float]:
    """Return the greatest and mean difference of the luma, and the share of different mask pixels."""
    greatest, mean, share, count = 0.0, 0.0, 0.0, 0
    pairs = list(find_pairs(options))
    for visible, infrared in tqdm(pairs, desc="comparing", unit="pair", leave=False, disable=None):
        device = torch.device("cpu")
        color = visible_image(upload(visible, device), "rgb8")
        levels = intensity(upload(stretch(infrared), device), "mono8")
        heat = grey_levels(levels, GreyScale(*EIGHT_BITS))
        if exported.size is not None:
            color = resize(color, *exported.size)
        images = pad(color, resize(heat, *color.shape[-2:]))
        (luma, logits), (true_luma, true_logits) = exported(*images), reference(*images)
        difference = (luma - true_luma).abs()
        # Python's max of a NaN and a number depends on their order; NumPy keeps the NaN.
        greatest = float(np.maximum(greatest, difference.max().item()))
        mean += difference.mean().item()
        share += (logits.argmax(dim=1) != true_logits.argmax(dim=1)).float().mean().item()
        count += 1
    return greatest, mean / count, share / count


def find_pairs(options: argparse.Namespace) -> list[tuple[Any, Any]]:
    """Return the user's pairs, (H, W, 3) uint8 and (H, W) uint8 or uint16, or generated pairs."""
    if options.visible is not None:
        pairs = pair_folders(options.visible, options.infrared).pairs
        return [(read_visible(pair.visible), read_infrared(pair.infrared)) for pair in pairs]
    return [generate(*size) for size in GENERATED_SIZES]


def generate(height: int, width: int) -> tuple[Any, Any]:
    """Generate a noisy scene of waves with a warm disc: (H, W, 3) and (H, W) uint8."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(height).normal(0.0, 6.0, (height, width, 3))
    visible = 110 + 70 * np.sin(columns / 9)[..., None] * np.cos(rows / 7)[..., None] + noise
    warm = (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (height / 4) ** 2
    infrared = 50 + 140 * warm + noise[..., 0]
    return visible.clip(0, 255).astype(np.uint8), infrared.clip(0, 255).astype(np.uint8)
