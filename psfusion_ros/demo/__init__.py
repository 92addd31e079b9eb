"""Runs the whole system in one command: a drive is replayed, the node fuses it, and everything is recorded.

As on a robot, every part runs in a separate process. All of them use loopback and shared memory only.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from psfusion_ros.without_ros import explain_missing_ros


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit status: 0 fused, 1 nothing fused or messages lost, 2 an error."""
    options = _parser().parse_args(arguments)
    try:
        from psfusion_ros.demo.run import run
    except ImportError as error:
        return explain_missing_ros("demo", error)
    return run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m psfusion_ros.demo",
        description="Fuse a simulated drive, or your own image pairs, with psfusion_node over DDS.",
        epilog="example: python -m psfusion_ros.demo --visible data/vi --infrared data/ir",
    )
    parser.add_argument(
        "--visible", type=Path, metavar="DIR", help="visible images; default: a simulated drive"
    )
    parser.add_argument("--infrared", type=Path, metavar="DIR", help="infrared images with the same names")
    parser.add_argument(
        "--output", type=Path, default=Path("demo_output"), metavar="DIR", help="default: demo_output"
    )
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="length of the simulated drive (default 6)"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=0.3,
        help="speed of the replay; 1 is 10 pairs per second (default 0.3, for CPUs; the newest pair wins)",
    )
    return parser
