"""Where tasks are done."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Literal

ON_HELP = (
    "where: local (default), ray (a Ray of this machine), or ray=ADDRESS (a cluster: auto, HOST:PORT or "
    "ray://HOST:PORT)"
)


@dataclass(frozen=True)
class Place:
    """Where tasks are done, and by how many workers.

    Attributes:
        kind: local or ray.
        address: of the Ray cluster; None starts one on this machine.
        workers: processes; None leaves it to the place: one here, and as many as there are CPUs (or GPUs,
            where `gpu` is set) on Ray.
        gpu: each worker on Ray gets a GPU.
    """

    kind: Literal["local", "ray"] = "local"
    address: str | None = None
    workers: int | None = None
    gpu: bool = False


def add_place_arguments(parser: argparse.ArgumentParser, here: str = "1 with all cores") -> None:
    """Add --on and --workers; `place_of` reads them. `here` says how many workers that is by default."""
    parser.add_argument("--on", default="local", metavar="PLACE", help=ON_HELP)
    parser.add_argument(
        "--workers", type=int, metavar="N",
        help=f"processes (default: {here} here, one a CPU on Ray)",
    )  # fmt: skip


def place_of(options: argparse.Namespace, device: str) -> Place:
    """Read what `add_place_arguments` added.

    Args:
        options: of the command line.
        device: where the network runs; a worker on Ray sees a GPU only where it is cuda.

    Raises:
        ValueError: another place, or no worker.
    """
    kind, _, address = options.on.partition("=")
    if kind not in ("local", "ray") or (kind == "local" and address):
        raise ValueError(f"expected --on local, ray or ray=ADDRESS, got {options.on!r}: correct it")
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"expected --workers of at least 1, got {options.workers}: leave it out for all")
    return Place("ray" if kind == "ray" else "local", address or None, options.workers, device[:4] == "cuda")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
