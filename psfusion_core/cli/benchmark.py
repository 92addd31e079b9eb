"""``psfusion benchmark``: the speed and the memory of each engine on this machine."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.benchmark.machine import convolution_rate, count_cost, describe_machine
from psfusion_core.benchmark.stages import (
    PLAIN,
    STAGES,
    Configuration,
    TimedPair,
    make_engine,
    summarise_times,
)
from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.sizes import METAVAR, ImageSize, parse_size
from psfusion_core.engines.engine_choice import ENGINES
from psfusion_core.engines.torch_engine import resolve_device, resolve_precision
from psfusion_core.models.networks import MODELS

EPILOG = """examples:
  psfusion benchmark
  psfusion benchmark --models psfusion --engines plain onnxruntime --sizes 1024x768 --runs 5 --json out.json
  psfusion benchmark --compare --models psfusion psfusion_lite --engines plain onnxruntime
  psfusion benchmark --ros

Each line is one configuration. It shows the median time of each stage in milliseconds, from a serialised bgr8
and mono16 message to three serialised output images, the frames per second, and the peak memory of the
process (on a GPU: of PyTorch's tensors). "plain" is the baseline: the network as trained, eager, in fp32,
with all six outputs. Networks without shipped weights get random ones.

--compare runs all configurations in turn in one process, so that a busy machine slows all of them equally. It
prints ratios to the first line instead of memory. --ros measures the overhead of the node over DDS, with an
engine that does nothing (python -m psfusion_ros.overhead, which has options for rate and size)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    engines = (PLAIN, *ENGINES)
    parser.add_argument(
        "--models", nargs="+", choices=list(MODELS), default=["psfusion_lite"], help="default: psfusion_lite"
    )
    parser.add_argument(
        "--engines", nargs="+", choices=engines, default=[PLAIN, "torch", "onnxruntime"],
        help="default: plain torch onnxruntime",
    )  # fmt: skip
    parser.add_argument("--precisions", nargs="+", default=["auto"], help="auto (default), fp32, fp16, bf16")
    parser.add_argument(
        "--sizes", nargs="+", type=partial(parse_size, least=32), default=[ImageSize(640, 480)],
        metavar=METAVAR, help="default: 640x480",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    parser.add_argument("--runs", type=int, default=20, help="timed runs after the warm-up (default: 20)")
    parser.add_argument(
        "--compare", action="store_true", help="run the configurations in turn, and print ratios"
    )
    parser.add_argument("--ros", action="store_true", help="measure the ROS node without a network instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")


def run(options: argparse.Namespace) -> int:
    if options.ros:
        return measure_node(options.json)
    if options.runs < 1:
        raise CommandError(f"--runs is {options.runs}; expected at least 1")
    if options.json and not options.json.parent.is_dir():
        raise CommandError(f"--json {options.json}: there is no folder {options.json.parent}")
    device = resolve_device(options.device)
    configurations = list_configurations(options, device)
    machine = describe_machine(device)
    rate = convolution_rate(device)
    if options.compare:
        rows = compare(configurations)
    else:
        rows = [measure_alone(c) for c in tqdm(configurations, desc="measuring", leave=False, disable=None)]
    for row in rows:
        add_cost(row, rate)
    print(markdown(machine, rate, rows))
    if options.json:
        result = {"machine": machine, "convolution_gflop_per_second": round(rate, 1), "rows": rows}
        with replacing(options.json) as temporary:
            temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def measure_node(json_file: Path | None) -> int:
    """Run the benchmark of the ROS node in a new process, because this package does not import ROS.

    Raises:
        CommandError: There is no ROS in this environment.
    """
    if importlib.util.find_spec("rclpy") is None or importlib.util.find_spec("psfusion_ros") is None:
        raise CommandError("--ros needs rclpy and psfusion_ros: source a ROS installation, or see the README")
    words = [sys.executable, "-m", "psfusion_ros.overhead"]
    return subprocess.run(words + (["--json", str(json_file)] if json_file else []), check=False).returncode


def list_configurations(options: argparse.Namespace, device: torch.device) -> list[Configuration]:
    """List every requested combination. The baseline has only one precision.

    Raises:
        ValueError: A precision is unknown.
    """
    configurations = []
    for size, model, engine in product(options.sizes, options.models, options.engines):
        for name in ["fp32"] if engine == PLAIN else options.precisions:
            precision = resolve_precision(name, device)
            configurations.append(
                Configuration(model, engine, precision, options.device, size.height, size.width, options.runs)
            )
    return configurations


def measure_alone(configuration: Configuration) -> dict[str, Any]:
    """Measure a configuration in a new process, so that its peak memory is that of the configuration.

    Raises:
        CommandError: The process failed. The message has its last line.
    """
    if configuration.engine == "onnxruntime":
        make_engine(configuration)  # fill the cache, because exporting takes more memory than running
    words = [sys.executable, "-m", "psfusion_core.benchmark.stages", json.dumps(asdict(configuration))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise CommandError(f"{configuration.model} in {configuration.engine}: {reason}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def compare(configurations: list[Configuration]) -> list[dict[str, Any]]:
    """Measure the configurations in turn, run by run. Each row gets its speed relative to the first row."""
    pairs = [TimedPair(make_engine(c), c.height, c.width) for c in configurations]
    samples: list[list[list[float]]] = [[] for _ in pairs]
    for turn in tqdm(range(configurations[0].runs + 1), desc="comparing", leave=False, disable=None):
        for fuse, times in zip(pairs, samples, strict=True):
            fuse()  # not measured, because the other configurations have filled the caches
            measured = fuse()
            if turn >= 1:
                times.append(measured)
    rows = [{**asdict(c), **summarise_times(s)} for c, s in zip(configurations, samples, strict=True)]
    first = rows[0]["median_ms"]
    for row in rows:
        row["times_as_fast"] = round(first["total"] / row["median_ms"]["total"], 2)
        row["network_times_as_fast"] = round(first["network"] / row["median_ms"]["network"], 2)
    return rows


def add_cost(row: dict[str, Any], rate: float) -> None:
    """Add parameters, GFLOP, and the network's GFLOP/s, also as a share of those of a large convolution."""
    multiples = [-(-row[side] // 32) * 32 for side in ("height", "width")]
    parameters, gflop = count_cost(row["model"], *multiples)
    reached = gflop / row["median_ms"]["network"] * 1000.0
    row.update(
        parameters_million=round(parameters, 2),
        gflop=round(gflop, 1),
        gflop_per_second=round(reached, 1),
        share_of_convolution=round(reached / rate, 2),
    )


def markdown(machine: dict[str, str], rate: float, rows: list[dict[str, Any]]) -> str:
    last = ("times as fast", "times_as_fast") if "times_as_fast" in rows[0] else ("peak MiB", "peak_mib")
    columns = ["network", "engine", "size", *STAGES, "total", "p95", "frames/s", last[0], "GFLOP/s"]
    lines = [
        ", ".join(f"{name} {value}" for name, value in machine.items()),
        "",
        f"| {' | '.join(columns)} |",
        "|" + " --- |" * len(columns),
    ]
    for row in rows:
        median = row["median_ms"]
        cells = [
            row["model"], f"{row['engine']} {row['precision']}", str(ImageSize(row["width"], row["height"])),
            *(f"{median[name]:.1f}" for name in (*STAGES, "total")), f"{row['p95_ms']['total']:.1f}",
            f"{row['frames_per_second']:.2f}", str(row[last[1]]),
            f"{row['gflop_per_second']:.0f} ({row['share_of_convolution']:.0%})",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    costs = {
        f"{row['model']} {row['parameters_million']} M parameters, {row['gflop']} GFLOP at "
        f"{ImageSize(row['width'], row['height'])}"
        for row in rows
    }
    lines += [
        "",
        f"Times in milliseconds, medians of {rows[0]['runs']} runs. {'; '.join(sorted(costs))}. A large "
        f"convolution reaches {rate:.0f} GFLOP/s here; the network's share of that is in brackets.",
    ]
    return "\n".join(lines)
