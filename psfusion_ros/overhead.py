"""Measures how long the node takes without a network: pairing, decoding, encoding, publishing and DDS.

Run it as `python -m psfusion_ros.overhead`. As on a robot, the node runs in a separate process; its fuser
returns the visible image. This process publishes the camera images and subscribes to every output.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tqdm import tqdm

from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.serialised_stamp import shift_stamp, stamp_of_serialised
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import CLASS_NAMES
from psfusion_ros.image_messages import to_message
from psfusion_ros.loopback.child_processes import Processes
from psfusion_ros.loopback.environment import loopback_environment
from psfusion_ros.record.spool import OUTPUTS

NULL_NODE = [sys.executable, "-c", "from psfusion_ros.overhead import run_null_node; run_null_node()"]
START_SECONDS = 60.0
WARM_UP_SECONDS = 2.0
IMAGES = tuple(topic for topic in OUTPUTS if topic != "fused/camera_info")


class NullFuser:
    """Returns the visible image and an empty mask at once."""

    description = "null fuser"
    class_names = CLASS_NAMES
    registration = None

    def __init__(self, **_: str) -> None:
        self.device = SimpleNamespace(type="cpu")
        self._mask = np.zeros((0, 0), np.uint8)

    def release(self) -> None:
        pass

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        if self._mask.shape != infrared.image.shape:
            self._mask = np.zeros(infrared.image.shape, np.uint8)
        return Pictures(visible.image, self._mask, visible.image)


def run_null_node() -> None:
    """Run psfusion_node with the null fuser until it is interrupted."""
    from psfusion_ros.__main__ import main as run_node

    sys.exit(run_node(make_fuser=NullFuser))


class Bench:
    """A ROS node with two cameras and a subscription to every output. Times are of `time.monotonic_ns`.

    Attributes:
        sent: When the second image of each pair was published, by stamp.
        arrived: When the outputs of each pair arrived, by stamp and topic.
    """

    def __init__(self, node: Node, width: int, height: int) -> None:
        self.sent: dict[int, int] = {}
        self.arrived: dict[int, dict[str, int]] = defaultdict(dict)
        self._node = node
        generator = np.random.default_rng(0)
        visible = generator.integers(0, 256, (height, width, 3), np.uint8)
        infrared = generator.integers(0, 256, (height, width), np.uint8)
        self._cameras = [
            (
                node.create_publisher(Image, "visible/image", qos_profile_sensor_data),
                [serialize_message(to_message(np.roll(visible, n), "rgb8", Header())) for n in range(4)],
            ),
            (
                node.create_publisher(Image, "infrared/image", qos_profile_sensor_data),
                [serialize_message(to_message(np.roll(infrared, n), "mono8", Header())) for n in range(4)],
            ),
        ]
        self._info = node.create_publisher(CameraInfo, "visible/camera_info", qos_profile_sensor_data)
        for topic in OUTPUTS:
            kind = CameraInfo if topic.endswith("camera_info") else Image
            node.create_subscription(kind, topic, self._callback(topic), qos_profile_sensor_data, raw=True)

    def is_connected(self) -> bool:
        """Tell whether the node has subscribed to both cameras and publishes every output."""
        has_subscribed = all(publisher.get_subscription_count() for publisher, _ in self._cameras)
        return has_subscribed and all(self._node.count_publishers(topic) for topic in OUTPUTS)

    def publish_pairs(self, rate: float, seconds: float) -> None:
        """Publish pairs at a steady rate."""
        self._info.publish(CameraInfo())
        begin = time.monotonic()
        for number in tqdm(range(round(rate * seconds)), desc="pairs", unit="pair", disable=None):
            time.sleep(max(0.0, begin + number / rate - time.monotonic()))
            stamp = time.time_ns()
            for publisher, images in self._cameras:
                publisher.publish(shift_stamp(images[number % len(images)], stamp))
            self.sent[stamp] = time.monotonic_ns()

    def _callback(self, topic: str) -> Any:
        def keep(data: bytes) -> None:
            self.arrived[stamp_of_serialised(data)][topic] = time.monotonic_ns()

        return keep


def measure(width: int, height: int, rate: float, seconds: float, logs: Path) -> dict[str, float]:
    """Measure once.

    Args:
        width, height: Size of both images.
        rate: Pairs per second.
        seconds: How long to measure, after a warm-up.
        logs: Folder for the node's log.

    Returns:
        The number of pairs sent and of pairs that lack an image output; median, 95th percentile and maximum
        of the milliseconds from sending a pair to the arrival of its last image output.

    Raises:
        psfusion_ros.loopback.child_processes.ProcessError: The node ended early.
        TimeoutError: The node did not connect.
    """
    rclpy.init(args=[])
    node = rclpy.create_node("psfusion_overhead")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    bench = Bench(node, width, height)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        with Processes(logs) as processes:
            processes.start("node", NULL_NODE)
            deadline = time.monotonic() + START_SECONDS
            while not bench.is_connected():
                processes.check("node")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"expected the node to connect within {START_SECONDS:g} s: see {logs}")
                time.sleep(0.1)
            bench.publish_pairs(rate, WARM_UP_SECONDS)
            before = len(bench.sent)
            bench.publish_pairs(rate, seconds)
            time.sleep(1.0)
            processes.check("node")
    finally:
        executor.shutdown()
        thread.join()
        rclpy.try_shutdown()
    stamps = list(bench.sent)[before:]
    complete = [stamp for stamp in stamps if set(IMAGES) <= bench.arrived[stamp].keys()]
    delays = [(max(bench.arrived[s][t] for t in IMAGES) - bench.sent[s]) / 1e6 for s in complete]
    median, p95, largest = np.percentile(delays, (50, 95, 100)) if delays else (np.nan,) * 3
    return {
        "pairs": len(stamps),
        "lost": len(stamps) - len(complete),
        "median_ms": round(float(median), 2),
        "p95_ms": round(float(p95), 2),
        "max_ms": round(float(largest), 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m psfusion_ros.overhead",
        description="Measure how long psfusion_node takes without a network, while every output is received.",
        epilog="example: python -m psfusion_ros.overhead --rate 30 --seconds 60",
    )
    parser.add_argument("--rate", type=float, default=30.0, help="pairs per second (default 30)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default 60)")
    parser.add_argument("--width", type=int, default=640, help="of both images (default 640)")
    parser.add_argument("--height", type=int, default=480, help="of both images (default 480)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        os.environ.update(loopback_environment(Path(directory)))
        figures = measure(options.width, options.height, options.rate, options.seconds, Path(directory))
    print(
        f"{options.width} x {options.height} at {options.rate:g} Hz: {figures['pairs']:.0f} pairs, "
        f"{figures['lost']:.0f} lost; from sending to the last output median {figures['median_ms']} ms, "
        f"p95 {figures['p95_ms']} ms, max {figures['max_ms']} ms"
    )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
