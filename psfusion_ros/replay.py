"""Executable `replay`: a bag, or two folders of images, onto topics in real time."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from tqdm import tqdm

from psfusion_ros.recordings import BagRecording, FolderRecording, Recording, shift_stamp

SETTLE_SECONDS = 0.5
"""Without a new subscriber until playing begins: others may be on their way, and a subscriber that the
publisher knows needs a moment to know the publisher."""

EXAMPLES = """examples:
  replay drive_bag --rate 0.5
  replay --visible vi --infrared ir --fps 10 --loop
  replay drive_bag --ros-args -r front/image_raw:=visible/image -r thermal/image_raw:=infrared/image
"""


class Player:
    """Publishes a recording on a node, every message when it is due."""

    def __init__(self, node: Node, recording: Recording, clock: bool) -> None:
        # Reliable suits every subscription, best-effort ones too.
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self.node = node
        self.recording = recording
        self.publishers: dict[str, Publisher[Any]] = {
            topic: node.create_publisher(kind, topic, qos) for topic, kind in recording.topics.items()
        }
        self.clock = node.create_publisher(Clock, "/clock", qos) if clock else None

    def wait_for_subscribers(self, number: int, seconds: float) -> None:
        """Wait until an image topic has so many subscribers and no more join; at most so many seconds."""
        images = [self.publishers[t] for t, kind in self.recording.topics.items() if kind is not CameraInfo]
        begin = changed = time.monotonic()
        before: list[int] = []
        while (now := time.monotonic()) - changed < SETTLE_SECONDS:
            joined = [publisher.get_subscription_count() for publisher in images]
            if joined != before or max(joined) < number:
                before, changed = joined, now
            if max(joined) < number and now - begin > seconds:
                found = ", ".join(f"{p.topic_name} has {n}" for p, n in zip(images, joined, strict=True))
                self.node.get_logger().warning(
                    f"expected {number} subscribers within {seconds:g} s, but {found}: playing all the same"
                )
                return
            time.sleep(0.02)

    def play(self, rate: float, loop: bool) -> int:
        """Publish everything, once or until interrupted; return the number of messages.

        The first pass is byte for byte what was recorded. Later ones have later stamps, as if the cameras had
        gone on: subscribers rightly take a stamp that jumps back for a fault.

        Args:
            rate: recorded seconds per second, > 0.
            loop: start again at the end.
        """
        begin: float | None = None
        published = 0
        total = None if loop else sum(self.recording.counts.values())
        with tqdm(total=total, unit="msg", disable=None) as progress:
            for number in itertools.count() if loop else range(1):
                shift = number * self.recording.span
                for topic, recorded, data in self.recording.entries():
                    moment = (recorded + shift) / 1e9 / rate
                    begin = time.monotonic() - moment if begin is None else begin
                    time.sleep(max(0.0, begin + moment - time.monotonic()))
                    if self.clock is not None:
                        self.clock.publish(_clock(recorded + shift))
                    self.publishers[topic].publish(shift_stamp(data, shift) if shift else data)
                    published += 1
                    progress.update()
        return published


def main(args: Sequence[str] | None = None) -> int:
    """Play what the command line (program name first, like sys.argv) names; return the exit status."""
    arguments = list(sys.argv if args is None else args)
    options = _parser().parse_args(remove_ros_args(arguments)[1:])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        recording = _open(options)
        node = rclpy.create_node("replay")
        player = Player(node, recording, options.clock)
        player.wait_for_subscribers(options.subscribers, options.wait_for_subscribers)
        published = player.play(options.rate, options.loop)
        node.get_logger().info(f"published {published} messages on {', '.join(recording.topics)}")
    except (ValueError, FileNotFoundError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
    return 0


def _open(options: argparse.Namespace) -> Recording:
    folders = options.visible, options.infrared
    if options.bag is not None and folders == (None, None):
        return BagRecording(options.bag)
    if options.bag is None and None not in folders:
        recording = FolderRecording(*folders, pairs_per_second=options.fps)
        if recording.unpaired:
            first, count = recording.unpaired[0], len(recording.unpaired)
            print(f"replay: {count} images have no partner and are left out, first {first}", file=sys.stderr)
        return recording
    raise ValueError("expected a bag, or both --visible and --infrared: see replay --help")


def _clock(nanoseconds: int) -> Clock:
    message = Clock()
    message.clock.sec, message.clock.nanosec = divmod(nanoseconds, 10**9)
    return message


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="replay",
        description="Play a rosbag2 bag, or two folders of images paired by name, onto topics in real time. "
        "Topic names are relative: remap them as usual (--ros-args -r FROM:=TO).",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bag", nargs="?", type=Path, help="rosbag2 folder or ROS 1 bag; its camera topics are played"
    )
    parser.add_argument(
        "--visible", type=Path, metavar="DIR", help="folder of visible images, onto visible/image"
    )
    parser.add_argument(
        "--infrared", type=Path, metavar="DIR", help="folder of infrared images, onto infrared/image"
    )
    parser.add_argument(
        "--fps", type=_positive, default=10.0, help="image pairs per second of the folders (default 10)"
    )
    parser.add_argument("--rate", type=_positive, default=1.0, help="speed, 1 is as recorded (default)")
    parser.add_argument("--loop", action="store_true", help="start again at the end; stamps go on")
    parser.add_argument(
        "--clock", action="store_true", help="publish /clock too, for nodes with use_sim_time"
    )
    parser.add_argument(
        "--wait-for-subscribers",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="wait at most so long for the subscribers (default 5)",
    )
    parser.add_argument(
        "--subscribers", type=int, default=1, metavar="N", help="how many of an image topic (default 1)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
