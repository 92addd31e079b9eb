"""Records to a bag first, and then writes the pictures and the report."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from psfusion_core.bags.bag_writer import BagWriter
from psfusion_core.fusion.video import import_av
from psfusion_ros.record.gallery import SHEET, VIDEO, write_gallery
from psfusion_ros.record.spool import Spool
from psfusion_ros.record.timeline import FOLDERS, Timeline, read_timeline

REPORT = "record.json"


def record(arguments: list[str], output: Path) -> int:
    """Record until ROS is shut down, then write everything.

    Args:
        arguments: Command line with the ROS arguments, program name first.
        output: Folder, which is created if missing.

    Returns:
        The exit status: 0 if something was fused and no message is known to be lost, 1 if not.

    Raises:
        OSError: The folder cannot be written.
        ImportError: The package rosbags or av is missing.
    """
    output.mkdir(parents=True, exist_ok=True)
    import_av()  # a recording without its pictures would be lost
    with tempfile.TemporaryDirectory(prefix=".spool", dir=output) as directory:
        bag = Path(directory) / "bag"
        received, lost = _spool(arguments, bag)
        timeline = read_timeline(bag)
        _write_report(timeline, received, lost, output / REPORT)
        if timeline.shots:
            write_gallery(bag, timeline.shots, output)
            print(f"{output / VIDEO}\n{output / SHEET}")
    return 0 if timeline.shots and not any(lost.values()) else 1


def _spool(arguments: list[str], bag: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Write a bag until interrupted; return the received messages and those known to be lost, by topic."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rclpy's own handler ends the spinning
    with BagWriter(bag, "mcap") as writer:
        rclpy.init(args=arguments)
        node = rclpy.create_node("psfusion_recorder")
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        spool = Spool(node, writer)
        with suppress(ExternalShutdownException):
            while rclpy.ok():  # short waits: a signal just before a wait does not end it
                executor.spin_once(timeout_sec=0.5)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return spool.received, spool.lost()


def _write_report(timeline: Timeline, received: dict[str, int], lost: dict[str, int], path: Path) -> None:
    """Replace the report and the images of an earlier recording, and print a summary."""
    _remove_images(path)
    path.write_text(json.dumps(_report(timeline, received, lost), indent=2) + "\n")
    print(f"{timeline.summary()}: {path}")
    if any(lost.values()):
        gaps = ", ".join(f"{topic} {count}" for topic, count in lost.items() if count)
        print(f"record: messages lost on the way ({gaps}): use config/fastdds.xml", file=sys.stderr)
    if not timeline.shots:
        print(
            "record: expected fused images, got none: does psfusion_node run and find pairs?", file=sys.stderr
        )


def _remove_images(report: Path) -> None:
    """Remove the images that an earlier recording wrote, and no other files."""
    if not report.exists():
        return
    for frame in json.loads(report.read_text())["frames"]:
        for folder in FOLDERS.values():
            (report.parent / folder / f"{frame['name']}.png").unlink(missing_ok=True)


def _report(timeline: Timeline, received: dict[str, int], lost: dict[str, int]) -> dict[str, object]:
    """Return the content of record.json: rate in Hz, stamps in ns, latency from visible to fused image."""
    return {
        "summary": timeline.summary(),
        "pairs_in": len(timeline.pairs),
        "rate": round(timeline.rate, 2),
        "fused": len(timeline.shots),
        "topics": {topic: {"received": received[topic], "lost": count} for topic, count in lost.items()},
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
