"""Records the inputs and outputs of the node as images, a contact sheet, a video and a report.

Run it as `python -m psfusion_ros.record --output DIR`. While the node runs, `spool` only writes the messages
to a bag. Afterwards `timeline` finds the pairs in the bag, and `gallery` writes the pictures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from psfusion_core.base.wording import one_line
from psfusion_ros.without_ros import explain_missing_ros


def main(args: Sequence[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM.

    Args:
        args: Command line, program name first; sys.argv if not given.

    Returns:
        The exit status: 0 if something was fused and no message is known to be lost, 1 if not, 2 if the
        folder cannot be written or a package is missing.
    """
    arguments = list(sys.argv if args is None else args)
    try:
        from rclpy.utilities import remove_ros_args

        from psfusion_ros.record.recorder import record
    except ImportError as error:
        return explain_missing_ros("record", error)
    options = _parser().parse_args(remove_ros_args(arguments)[1:])
    try:
        return record(arguments, options.output)
    except (OSError, ImportError) as error:
        print(f"record: {one_line(error)}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="record",
        description="Record the inputs and outputs of psfusion_node until interrupted (SIGINT, SIGTERM); "
        "then write images as PNG, a contact sheet, a side-by-side video and record.json.",
        epilog="example: python -m psfusion_ros.record --output recorded --ros-args -r __ns:=/robot",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("recorded"), metavar="DIR", help="default: recorded"
    )
    return parser
