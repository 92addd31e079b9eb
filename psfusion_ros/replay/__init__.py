"""The executable `replay`: publishes a bag, or two folders of images, on topics in real time.

`recordings` reads what is played, and `player` publishes it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from psfusion_ros.without_ros import explain_missing_ros

EXAMPLES = """examples:
  replay drive_bag --rate 0.5
  replay --visible vi --infrared ir --fps 10 --loop
  replay drive_bag --ros-args -r front/image_raw:=visible/image -r thermal/image_raw:=infrared/image
"""


def main(args: Sequence[str] | None = None) -> int:
    """Play the recording that the command line names.

    Args:
        args: Command line, program name first; sys.argv if not given.

    Returns:
        The exit status: 0 at the end or after a signal, 2 if the recording cannot be played or without ROS.
    """
    arguments = list(sys.argv if args is None else args)
    try:
        from rclpy.utilities import remove_ros_args

        from psfusion_ros.replay.player import run
    except ImportError as error:
        return explain_missing_ros("replay", error)
    return run(arguments, _parser().parse_args(remove_ros_args(arguments)[1:]))


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="replay",
        description="Publish a rosbag2 bag, or two folders of images paired by name, on topics in real time. "
        "Topic names are relative: remap them as usual (--ros-args -r FROM:=TO).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bag", nargs="?", type=Path, help="rosbag2 folder or ROS 1 bag; its camera topics are played"
    )
    parser.add_argument(
        "--visible", type=Path, metavar="DIR", help="folder of visible images, for visible/image"
    )
    parser.add_argument(
        "--infrared", type=Path, metavar="DIR", help="folder of infrared images, for infrared/image"
    )
    parser.add_argument(
        "--fps", type=_positive, default=10.0, help="image pairs per second of the folders (default 10)"
    )
    parser.add_argument("--rate", type=_positive, default=1.0, help="speed, 1 is as recorded (default)")
    parser.add_argument("--loop", action="store_true", help="start again at the end, with stamps that go on")
    parser.add_argument(
        "--clock", action="store_true", help="publish /clock too, for nodes with use_sim_time"
    )
    parser.add_argument(
        "--wait-for-subscribers",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="longest wait for the subscribers (default 5)",
    )
    parser.add_argument(
        "--subscribers",
        type=int,
        default=1,
        metavar="N",
        help="subscribers of an image topic to wait for (default 1)",
    )
    return parser
