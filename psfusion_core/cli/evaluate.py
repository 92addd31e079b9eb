"""``psfusion evaluate``: fusion metrics of one or several folders of fused images, as a Markdown table."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.report import report_unpaired
from psfusion_core.images import Pair, list_images, pair_folders, read_infrared, read_visible
from psfusion_core.metrics import FUSION_METRICS, evaluate_triple
from psfusion_core.metrics.luma_input import luma
from psfusion_core.stream.gain import stretch

EPILOG = """example:
  psfusion evaluate --visible data/vi --infrared data/ir --fused ours=out/fused --fused other=other/

Metrics are means over the pairs, on the 8-bit luma of each image; larger is better for all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visible", type=Path, required=True, help="folder of visible images")
    parser.add_argument("--infrared", type=Path, required=True, help="folder of infrared images")
    parser.add_argument(
        "--fused",
        action="append",
        required=True,
        metavar="NAME=DIR",
        help="a method and its fused images; repeat",
    )
    parser.add_argument("--workers", type=int, default=None, help="processes (default: one a core)")


def run(options: argparse.Namespace) -> int:
    pairing = pair_folders(options.visible, options.infrared)
    methods = [find_fused(method, pairing.pairs) for method in options.fused]
    print(f"| | {' | '.join(FUSION_METRICS)} |")
    print("| --- |" + " --- |" * len(FUSION_METRICS))
    with ProcessPoolExecutor(options.workers) as pool:
        for name, fused in methods:
            jobs = pool.map(partial(evaluate_files, fused), pairing.pairs)
            rows = list(tqdm(jobs, total=len(pairing.pairs), desc=name, unit="pair", leave=False))
            means = np.mean([[row[metric] for metric in FUSION_METRICS] for row in rows], axis=0)
            print(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return 1 if report_unpaired(pairing) else 0


def find_fused(method: str, pairs: list[Pair]) -> tuple[str, dict[str, Path]]:
    """Split NAME=DIR and find the fused image of every pair.

    Raises:
        CommandError: not of that form, or an image is missing.
    """
    name, _, folder = method.partition("=")
    if not folder:
        raise CommandError(f"--fused {method!r}: expected NAME=DIR, such as ours=out/fused")
    fused = list_images(Path(folder))
    missing = [pair.name for pair in pairs if pair.name not in fused]
    if missing:
        raise CommandError(f"{folder} has no image for {len(missing)} pairs, such as {missing[0]}")
    return name, fused


def evaluate_files(fused: dict[str, Path], pair: Pair) -> dict[str, float]:
    """Compute every metric of one pair and its fused image."""
    visible, infrared = luma(read_visible(pair.visible)), stretch(read_infrared(pair.infrared))
    try:
        return evaluate_triple(luma(read_visible(fused[pair.name])), visible, infrared)
    except ValueError as error:
        raise CommandError(f"{pair.name}: {error}") from error
