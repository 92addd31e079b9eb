"""Where tasks run, and the options that choose it."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import Literal

ON_HELP = (
    "where to run: local (default), ray (start Ray on this machine), or ray=ADDRESS (a cluster: auto, "
    "HOST:PORT or ray://HOST:PORT)"
)


@dataclass(frozen=True)
class Place:
    """Where tasks run, and by how many workers.

    Attributes:
        kind: "local" or "ray".
        address: The address of the Ray cluster; None starts one on this machine.
        workers: The number of processes. None means one on this machine, and one per CPU on Ray (one per GPU
            if `gpu` is set).
        gpu: Whether each worker on Ray gets a GPU.
    """

    kind: Literal["local", "ray"] = "local"
    address: str | None = None
    workers: int | None = None
    gpu: bool = False


def add_place_arguments(parser: argparse.ArgumentParser, here: str = "one that uses all cores") -> None:
    """Add --on and --workers for `place_of`. `here` is the help text of the default on this machine."""
    parser.add_argument("--on", default="local", metavar="PLACE", help=ON_HELP)
    parser.add_argument(
        "--workers", type=int, metavar="N",
        help=f"number of processes (default: {here}; on Ray, one per CPU or GPU)",
    )  # fmt: skip


def place_of(options: argparse.Namespace, device: str) -> Place:
    """Read the options of `add_place_arguments`.

    Args:
        options: The options of the command line.
        device: The device of the network. A worker on Ray gets a GPU if it is cuda.

    Raises:
        ValueError: The place is unknown, or the number of workers is below 1.
    """
    kind, _, address = options.on.partition("=")
    if kind not in ("local", "ray") or (kind == "local" and address):
        raise ValueError(f"expected --on local, ray or ray=ADDRESS, got {options.on!r}: correct it")
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"expected --workers of at least 1, got {options.workers}: leave it out for all")
    return Place("ray" if kind == "ray" else "local", address or None, options.workers, device[:4] == "cuda")


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
