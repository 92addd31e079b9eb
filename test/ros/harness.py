"""The other side of the node: a process for it, and a peer that sends images and keeps what comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_srvs.srv import SetBool

from psfusion_core.stream.encodings import PIXEL_FORMATS
from psfusion_ros.codec import AnyImage

ROOT = Path(__file__).resolve().parents[2]
REAL_NODE = [sys.executable, "-m", "psfusion_ros.node"]
STUB_NODE = [sys.executable, str(Path(__file__).with_name("stub_node.py"))]
OUTPUTS = {
    "fused/image": Image,
    "semantic/mask": Image,
    "semantic/overlay": Image,
    "fused/camera_info": CameraInfo,
}
PATIENCE = 60.0
"""Seconds until a test gives up; nothing is measured with it."""

START = 1_700_000_000_000_000_000
PERIOD = 100_000_000
FAST_DIAGNOSTICS = "diagnostics.period:=0.2"


def image_message(pixels: np.ndarray, encoding: str, stamp: int, frame_id: str, padding: int = 0) -> Image:
    """Make a message of (H, W) or (H, W, C) pixels, with so many bytes of padding after each row."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=rows.shape[1])
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
    message.header.frame_id = frame_id
    message.data = array("B", rows.tobytes())
    return message


def stamp_of(message: Any) -> int:
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def random_pair(
    number: int, encodings: tuple[str, str] = ("rgb8", "mono8"), height: int = 64, width: int = 64
) -> tuple[Image, Image]:
    """Make the number-th pair of a drive; noise, so that a byte out of place shows."""
    generator = np.random.default_rng(number)
    messages = []
    for encoding, frame_id in zip(encodings, ("visible_optical", "infrared_optical"), strict=True):
        pixel = PIXEL_FORMATS[encoding]
        shape = (height, width) if pixel.channels == 1 else (height, width, pixel.channels)
        pixels = generator.integers(0, np.iinfo(pixel.dtype).max + 1, shape, pixel.dtype)
        messages.append(image_message(pixels, encoding, START + number * PERIOD, frame_id))
    return messages[0], messages[1]


def pixels_of(message: Image) -> np.ndarray:
    """View an rgb8 or mono8 message as (H, W, 3) or (H, W)."""
    shape = (
        (message.height, message.width, 3) if message.encoding == "rgb8" else (message.height, message.width)
    )
    return np.frombuffer(message.data, np.uint8).reshape(shape)


class NodeProcess:
    """psfusion_node, as a process."""

    def __init__(self, command: list[str], environment: dict[str, str], *parameters: str) -> None:
        arguments = [word for parameter in parameters for word in ("-p", parameter)]
        self.process = subprocess.Popen(
            [*command, "--ros-args", *arguments],
            env={**environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log: list[str] = []
        self._logged = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_started(self) -> str:
        """Wait for the one line that the node logs when it is ready, and return it."""
        return self.wait_for_log("in: /")

    def wait_for_log(self, words: str) -> str:
        def found() -> str:
            return next((line for line in self.log if words in line), "")

        with self._logged:
            self._logged.wait_for(lambda: found() or self.process.poll() is not None, PATIENCE)
        assert found(), f"expected {words!r} in the node's log, got: {''.join(self.log)}"
        return found()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self._reader.join()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._logged:
                self.log.append(line)
                self._logged.notify_all()
        self.process.wait()
        with self._logged:
            self._logged.notify_all()

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        if kind is not None:
            print("".join(self.log))


class Peer:
    """A node of the test's own process: two cameras, and a subscriber to every output."""

    def __init__(
        self, outputs: tuple[str, ...] = tuple(OUTPUTS), transport: str = "raw", name: str = "peer"
    ) -> None:
        self.received: dict[str, list[Any]] = defaultdict(list)
        self._came = threading.Condition()
        self._node: Node = rclpy.create_node(name)
        qos = QoSProfile(depth=50)
        kind, ending = (CompressedImage, "/compressed") if transport == "compressed" else (Image, "")
        self.visible = self._node.create_publisher(kind, f"visible/image{ending}", qos)
        self.infrared = self._node.create_publisher(kind, f"infrared/image{ending}", qos)
        self.camera_info = self._node.create_publisher(CameraInfo, "visible/camera_info", qos)
        for topic in outputs:
            self._node.create_subscription(OUTPUTS[topic], topic, self._keeper(topic), qos)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._keeper("/diagnostics"), qos)
        self._outputs = outputs
        self._enable = self._node.create_client(SetBool, "psfusion_node/set_enabled")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def connect(self, peers: int = 1) -> None:
        """Wait until the node hears this peer's cameras, and knows the subscriptions of so many peers."""

        def is_connected() -> bool:
            hears = self.visible.get_subscription_count() and self.infrared.get_subscription_count()
            status = self.status("outputs")
            return bool(hears) and all(
                f"{topic} {peers}" in status.get("subscribers", "") for topic in self._outputs
            )

        self.wait_until(is_connected, "the node to discover the peer")

    def send(self, visible: AnyImage | None = None, infrared: AnyImage | None = None) -> None:
        if visible is not None:
            self.visible.publish(visible)
        if infrared is not None:
            self.infrared.publish(infrared)

    def set_enabled(self, enabled: bool) -> None:
        assert self._enable.wait_for_service(PATIENCE)
        future = self._enable.call_async(SetBool.Request(data=enabled))
        self.wait_until(future.done, "the service's answer")
        assert future.result().success

    def sets(self) -> dict[int, dict[str, Any]]:
        """Return the sets of outputs that are complete, by stamp."""
        found: dict[int, dict[str, Any]] = defaultdict(dict)
        for topic in self._outputs:
            for message in list(self.received[topic]):
                assert topic not in found[stamp_of(message)], "one set of outputs a pair"
                found[stamp_of(message)][topic] = message
        return {stamp: messages for stamp, messages in found.items() if len(messages) == len(self._outputs)}

    def statuses(self, task: str) -> list[DiagnosticStatus]:
        """Return every diagnostic status of one of the node's tasks so far."""
        name = f"psfusion_node: {task}"
        arrays = list(self.received["/diagnostics"])
        return [status for message in arrays for status in message.status if status.name == name]

    def status(self, task: str) -> dict[str, str]:
        """Return the values of the latest status of a task, with its message; empty before one came."""
        statuses = self.statuses(task)
        if not statuses:
            return {}
        values = {item.key: item.value for item in statuses[-1].values}
        return {**values, "message": statuses[-1].message}

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        with self._came:
            while not condition():
                assert time.monotonic() < deadline, f"waited in vain for {what}"
                self._came.wait(0.05)

    def _keeper(self, topic: str) -> Callable[[Any], None]:
        def keep(message: Any) -> None:
            with self._came:
                self.received[topic].append(message)
                self._came.notify_all()

        return keep

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._thread.join()
        self._node.destroy_node()
