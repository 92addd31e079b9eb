"""``psfusion evaluate``: measures fusion methods over folders of pairs, and writes tables and figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from psfusion_core.cameras.image_files import list_images, pair_folders
from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.unpaired import report_unpaired
from psfusion_core.distribution.place import add_place_arguments, cores, place_of
from psfusion_core.engines.torch_engine import resolve_device
from psfusion_core.evaluation.disturbances import all_disturbances
from psfusion_core.evaluation.evaluation_report import PER_IMAGE, EvaluationReport
from psfusion_core.evaluation.execution import execute
from psfusion_core.evaluation.figures import import_figure
from psfusion_core.evaluation.method_options import MethodOption, make_methods
from psfusion_core.evaluation.method_results import BASELINES
from psfusion_core.evaluation.methods import Method, ModelMethod
from psfusion_core.evaluation.planning import EvaluationSetup, make_plan
from psfusion_core.evaluation.records import Records
from psfusion_core.metrics import PROTOCOLS, choose_metrics
from psfusion_core.models.classes import CLASS_NAMES

EPILOG = """examples:
  psfusion evaluate --visible data/vi --infrared data/ir --fused ours=out/fused --fused other=other/ \\
    --baseline average --output results/
  psfusion evaluate --visible data/vi --infrared data/ir --model psfusion_lite --boxes data/boxes \\
    --robustness --metrics SCD VIF Qabf --output results/

Methods are compared in the order of the options, over the pairs that all of them have. The output folder gets
per_image.csv, table.md, table.tex (package booktabs), cumulative_curves.png (a point (x, y) means: a share x
of the pairs has a value of at most y), contact_sheet.png (the pairs with the best, median and worst result of
the first method; with --labels or --boxes also label maps) and, with --robustness, robustness.csv and
robustness.png. The Markdown tables are printed as well.

Finished pairs are kept in per_image.csv. The same command continues an interrupted run, and measures again
only what has changed. Pairs that cannot be measured are reported and skipped; the exit status is then 1.

Metrics are computed on 8-bit luma. 16-bit infrared images are stretched between their own 1st and 99th
percentile. A file of boxes has a line for each box: class (0 person, 1 bicycle, 2 car), centre x, centre y,
width, height as fractions of the image."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    def add_method(kind: str, metavar: str, text: str) -> None:
        parser.add_argument(
            f"--{kind}",
            dest="methods",
            action="append",
            type=partial(MethodOption, kind),
            metavar=metavar,
            help=text,
        )

    parser.add_argument("--visible", type=Path, required=True, help="folder of visible images")
    parser.add_argument("--infrared", type=Path, required=True, help="folder of infrared images")
    add_method("fused", "NAME=DIR", "name of a method and folder of its fused images; may be repeated")
    add_method("model", "[NAME=]MODEL[:WEIGHTS]", "psfusion_lite or psfusion, run here; may be repeated")
    add_method("baseline", "RULE", f"pixel rule: {', '.join(BASELINES)}; may be repeated")
    add_method("masks", "NAME=DIR", "name and folder of label maps (PNG of class indices); may be repeated")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="true label maps, 255 where unknown")
    parser.add_argument("--boxes", type=Path, metavar="DIR", help="true boxes of people, bicycles and cars")
    parser.add_argument(
        "--classes", nargs="+", default=list(CLASS_NAMES), metavar="CLASS",
        help="class names by index (default: those of MSRS)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, help="folder to write to; created if missing")
    parser.add_argument(
        "--metrics", nargs="+", default=["fast"], metavar="METRIC", help="fast (default), all, or names"
    )
    parser.add_argument(
        "--protocol", choices=list(PROTOCOLS), default="standard",
        help="protocol that defines the metrics (default: standard)",
    )  # fmt: skip
    parser.add_argument(
        "--robustness", action="store_true",
        help="also fuse with low contrast, noise and misregistration of the infrared (13 times the work)",
    )  # fmt: skip
    add_place_arguments(parser, "one per core")
    parser.add_argument(
        "--device", default="cpu", help="device of models and metrics: cpu (default), cuda or cuda:N"
    )


def run(options: argparse.Namespace) -> int:
    check(options)
    pairing = pair_folders(options.visible, options.infrared)
    methods = make_methods(options.methods, options.device)
    setup = EvaluationSetup(
        pairs=pairing.pairs,
        methods=methods,
        disturbances=all_disturbances()[: None if options.robustness else 1],
        metrics=choose_names(options.metrics, options.protocol),
        protocol=options.protocol,
        labels=list_images(options.labels) if options.labels else {},
        boxes=list_boxes(options.boxes) if options.boxes else {},
        classes=tuple(options.classes),
    )
    check_methods(options, methods)
    if options.output:
        if any(method.fuses for method in methods):
            import_figure()  # so that a missing matplotlib is reported before hours of measuring
        options.output.mkdir(parents=True, exist_ok=True)
    gpu = choose_gpu(options)
    place = place_of(options, "cpu")
    if place.kind == "local":
        place = replace(place, workers=place.workers or cores())
    skipped = report_unpaired(pairing)
    with Records(options.output and options.output / PER_IMAGE, setup.columns) as records:
        plan = make_plan(setup, records)
        skipped += execute(plan, records, place, gpu)
        report = EvaluationReport(setup, plan, records)
        print(report.tables())
        if options.output:
            written = [PER_IMAGE, *report.write(options.output)]
            print(f"written to {options.output}: {', '.join(written)}", file=sys.stderr)
    return 1 if skipped else 0


def check(options: argparse.Namespace) -> None:
    """Raise CommandError for options that do not go together."""
    if not options.methods:
        raise CommandError("nothing to measure: add --fused, --model, --baseline or --masks")
    inputs = [options.visible, options.infrared, options.labels, options.boxes]
    inputs += [Path(one.split()[1]) for one in options.methods if one.kind in ("fused", "masks")]
    if options.output and options.output.resolve() in [folder.resolve() for folder in inputs if folder]:
        raise CommandError(f"{options.output} holds inputs: choose another --output")
    if options.robustness and not options.output:
        raise CommandError("--robustness needs --output, the folder for its curves")
    if len(set(options.classes)) < len(options.classes):
        raise CommandError("--classes has a name twice: every index needs its own name")
    if options.boxes and options.classes != list(CLASS_NAMES):
        raise CommandError("--boxes name classes of MSRS: leave out --classes")


def choose_gpu(options: argparse.Namespace) -> torch.device | None:
    """Return the GPU that measures in batches; None without --device cuda.

    Raises:
        ValueError: The device does not exist here.
    """
    device = resolve_device(options.device)
    return device if device.type != "cpu" else None


def check_methods(options: argparse.Namespace, methods: Sequence[Method]) -> None:
    """Raise CommandError for methods that do not fit the options."""
    if options.robustness and not any(method.fuses_here for method in methods):
        raise CommandError("--robustness needs a --model or --baseline: other results already exist")
    has_truth = bool(options.labels or options.boxes)
    if has_truth and not any(method.labels for method in methods):
        raise CommandError("--labels and --boxes need label maps: add --masks or --model")
    for method in methods:
        if method.labels and not method.fuses and not has_truth:
            raise CommandError("--masks need --labels or --boxes to compare with")
        if isinstance(method, ModelMethod) and has_truth and list(method.class_names) != options.classes:
            raise CommandError(
                f"--model {method.name} knows the classes {' '.join(method.class_names)}: use --classes"
            )


def choose_names(words: Sequence[str], protocol: str) -> tuple[str, ...]:
    """Return the metrics of "fast", "all" or names, in the order of tables.

    Raises:
        ValueError: A name is unknown.
    """
    groups = {"fast": [metric.name for metric in choose_metrics(None, protocol)], "all": PROTOCOLS[protocol]}
    names = [name for word in words for name in groups.get(word, [word])]
    return tuple(metric.name for metric in choose_metrics(names, protocol))


def list_boxes(folder: Path) -> dict[str, Path]:
    """Return the text files of a folder by stem.

    Raises:
        FileNotFoundError: The folder does not exist or holds no text file.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.txt"))}
    if not files:
        raise FileNotFoundError(f"no files of boxes (.txt) in {folder}")
    return files
