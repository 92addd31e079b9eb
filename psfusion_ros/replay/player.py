"""Plays a recording: publishes every message when it is due."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import time
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo
from tqdm import tqdm

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.serialised_stamp import shift_stamp
from psfusion_ros.replay.recordings import BagRecording, FolderRecording, Recording

SETTLE_SECONDS = 0.5
"""Seconds without a new subscriber until playing begins. More subscribers may still join, and a subscriber
that has been discovered needs a moment to discover the publisher."""


class Player:
    """Publishes a recording on a node, every message when it is due."""

    def __init__(self, node: Node, recording: Recording, clock: bool) -> None:
        # A reliable publisher matches every subscription.
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self.node = node
        self.recording = recording
        self.publishers: dict[str, Publisher[Any]] = {
            topic: node.create_publisher(kind, topic, qos) for topic, kind in recording.topics.items()
        }
        self.clock = node.create_publisher(Clock, "/clock", qos) if clock else None

    def wait_for_subscribers(self, number: int, seconds: float) -> None:
        """Wait until an image topic has `number` subscribers and no more join, for `seconds` at most."""
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
                    f"expected {number} subscribers within {seconds:g} s, but {found}: playing nevertheless"
                )
                return
            time.sleep(0.02)

    def play(self, rate: float, loop: bool) -> int:
        """Publish everything, once or until interrupted; return the number of messages.

        The first pass publishes the recorded bytes unchanged. In later passes the stamps go on as if the
        cameras had never stopped, because subscribers treat a stamp that jumps back as a fault.

        Args:
            rate: Recorded seconds per second, > 0.
            loop: Start again at the end.
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


def run(arguments: list[str], options: argparse.Namespace) -> int:
    """Play the recording that the options name; return the exit status. `arguments` has the ROS arguments."""
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
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(f"replay: {one_line(error)}", file=sys.stderr)
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
