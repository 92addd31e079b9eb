"""Record what goes into the node and what comes out: images, a contact sheet, a video, and how it went.

Run as `python -m psfusion_ros.record --output DIR`.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import remove_ros_args

from psfusion_ros.gallery import FOLDERS, SHEET, VIDEO, Timeline, read_timeline, write_gallery
from psfusion_ros.spool import Spool

REPORT = "record.json"


def main(args: Sequence[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM (program name first in `args`, like sys.argv); return the exit status:

    0 if something was fused and no message is known to be lost, 1 if not, 2 if the folder cannot be written.
    """
    arguments = list(sys.argv if args is None else args)
    options = _parser().parse_args(remove_ros_args(arguments)[1:])
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".spool", dir=options.output) as directory:
            return _record(arguments, options.output, Path(directory) / "bag")
    except OSError as error:
        print(f"record: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _record(arguments: list[str], output: Path, bag: Path) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rclpy's own handler ends the spinning
    rclpy.init(args=arguments)
    node = rclpy.create_node("psfusion_recorder")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with Spool(node, bag) as spool, suppress(ExternalShutdownException):
        while rclpy.ok():  # a signal just as waiting begins wakes nobody: never wait for ever
            executor.spin_once(timeout_sec=0.5)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    timeline, lost = read_timeline(bag), spool.lost()
    report = output / REPORT
    _remove_images(report)
    report.write_text(json.dumps(_report(timeline, spool, lost), indent=2) + "\n")
    print(f"{timeline.summary()}: {report}")
    if any(lost.values()):
        gaps = ", ".join(f"{topic} {count}" for topic, count in lost.items() if count)
        print(f"record: messages lost on the way ({gaps}): use config/fastdds.xml", file=sys.stderr)
    if not timeline.shots:
        print(
            "record: expected fused images, got none: does psfusion_node run and find pairs?", file=sys.stderr
        )
    else:
        write_gallery(bag, timeline.shots, output)
        print(f"{output / VIDEO}\n{output / SHEET}")
    return 0 if timeline.shots and not any(lost.values()) else 1


def _remove_images(report: Path) -> None:
    """Remove what an earlier recording wrote, and only that."""
    if not report.exists():
        return
    for frame in json.loads(report.read_text())["frames"]:
        for folder in FOLDERS.values():
            (report.parent / folder / f"{frame['name']}.png").unlink(missing_ok=True)


def _report(timeline: Timeline, spool: Spool, lost: dict[str, int]) -> dict[str, object]:
    """Return what record.json says: rate in Hz, stamps in ns, latency from the visible to the fused image."""
    return {
        "summary": timeline.summary(),
        "pairs_in": len(timeline.pairs),
        "rate": round(timeline.rate, 2),
        "fused": len(timeline.shots),
        "topics": {
            topic: {"received": spool.received[topic], "lost": count} for topic, count in lost.items()
        },
        "incomplete": timeline.incomplete,
        "frames": [
            {
                "name": shot.name,
                "stamp": shot.stamp,
                "infrared_stamp": shot.infrared_stamp,
                "latency_ms": round(shot.latency / 1e6, 1),
            }
            for shot in timeline.shots
        ],
    }


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


if __name__ == "__main__":
    sys.exit(main())
