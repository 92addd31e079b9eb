"""The stages of the demo: simulate, start the node and the recorder, replay, show."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from rclpy.executors import ExternalShutdownException

from psfusion_core.base.wording import one_line
from psfusion_ros.demo.monitor import Monitor
from psfusion_ros.loopback.child_processes import ProcessError, Processes
from psfusion_ros.loopback.environment import loopback_environment
from psfusion_ros.record.gallery import SHEET, VIDEO
from psfusion_ros.record.recorder import REPORT
from psfusion_ros.replay.recordings import BagRecording, FolderRecording, Recording

NODE = [sys.executable, "-m", "psfusion_ros"]
REPLAY = [sys.executable, "-m", "psfusion_ros.replay"]
RECORD = [sys.executable, "-m", "psfusion_ros.record"]
SIMULATE = [sys.executable, "-m", "psfusion_core.cli", "simulate"]

START_SECONDS = 120.0
"""Time for the node to load the model and for everything to connect."""

PAIR_SECONDS = 60.0
"""Time for the node to finish its current pair."""


def run(options: argparse.Namespace) -> int:
    """Run the demo; return the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as directory, Processes(options.output / "log") as processes:
            os.environ.update(loopback_environment(Path(directory)))
            played, recording = _source(processes, options)
            status = _fuse(processes, [*played, "--rate", str(options.rate)], options.output)
    except (KeyboardInterrupt, ExternalShutdownException):  # the latter if rclpy handles the signal first
        print("demo: interrupted", file=sys.stderr)
        return 130
    except ProcessError as error:  # its message has several lines: the end of a log
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except (ValueError, OSError, ImportError) as error:
        print(f"demo: {one_line(error)}", file=sys.stderr)
        return 2
    return _show(options.output, recording, status)


def _source(processes: Processes, options: argparse.Namespace) -> tuple[list[str], Recording]:
    """Return what `replay` plays: the user's folders, or a drive that is simulated here."""
    if options.visible is not None or options.infrared is not None:
        if options.visible is None or options.infrared is None:
            raise ValueError("expected both --visible and --infrared, or none: give the other folder too")
        folders = ["--visible", str(options.visible), "--infrared", str(options.infrared)]
        return folders, FolderRecording(options.visible, options.infrared, pairs_per_second=10.0)
    bag = options.output / "drive"
    print(f"simulating {options.seconds:g} s of driving, by night and by day: {bag}", flush=True)
    drive = ["--output", str(bag), "--overwrite", "--seconds", str(options.seconds)]
    processes.run("simulate", [*SIMULATE, *drive])
    return [str(bag)], BagRecording(bag)


def _fuse(processes: Processes, played: list[str], output: Path) -> int:
    """Replay through the node while the recorder runs; return the recorder's exit status."""
    with Monitor() as monitor:
        print("starting psfusion_node and the recorder", flush=True)
        processes.start("node", NODE)
        processes.start("recorder", [*RECORD, "--output", str(output)], show=True)

        def ready() -> bool:
            processes.check("node", "recorder")
            return monitor.is_ready()

        def all_played() -> bool:
            processes.check("node", "recorder")
            return processes.ended("replay")

        monitor.wait_for(ready, "the node and the recorder to connect", START_SECONDS)
        waiting = ["--subscribers", "2", "--wait-for-subscribers", str(START_SECONDS)]
        processes.start("replay", [*REPLAY, *played, *waiting], show=True)
        monitor.wait_for(lambda: all_played() or monitor.has_cameras(), "the replay", START_SECONDS)
        print("replaying", flush=True)
        monitor.wait_for(all_played, "the replay to end")
        monitor.wait_for(monitor.is_idle, "the node to end its last pair", PAIR_SECONDS)
    status = processes.stop("recorder", seconds=600.0)
    processes.stop("node")
    return status


def _show(output: Path, recording: Recording, status: int) -> int:
    report = json.loads((output / REPORT).read_text())
    sent = recording.counts["visible/image"]
    print(f"{sent} pairs sent; {report['summary']}")
    if not report["fused"]:
        print(f"demo: nothing was fused, see {output / 'log'}", file=sys.stderr)
        return 1
    if report["fused"] < 0.8 * sent:
        print(f"this machine is slower than {report['rate']:.1f} Hz: a lower --rate fuses a larger share")
    print(f"figures: {output / REPORT}")
    print(f"images: {output}/fused, mask, overlay")
    print(f"video: {output / VIDEO}")
    print(f"contact sheet: {output / SHEET}")
    return status
