"""The other side of the node: a peer that sends images and keeps what comes back."""

from __future__ import annotations

import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_process import PATIENCE
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool

from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_ros.image_messages import AnyImage

OUTPUTS = {
    "fused/image": Image,
    "semantic/mask": Image,
    "semantic/overlay": Image,
    "fused/camera_info": CameraInfo,
}
RELIABLE = QoSProfile(depth=50)
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


class Cameras:
    """Two cameras that send pairs at a steady rate, in a thread of their own, until told to stop.

    Faults are made by `change`: it is given each message before it is sent and returns what to send instead.

    Attributes:
        sent: messages by camera.
        numbers: of the pairs whose visible image was sent under a stamp; a stamp can come twice.
    """

    def __init__(self, peer: Peer, rate: float = 20.0, height: int = 48, width: int = 64) -> None:
        self.sent = {"visible": 0, "infrared": 0}
        self.numbers: dict[int, set[int]] = defaultdict(set)
        self.change: Callable[[str, int, Image], list[Image]] = lambda camera, number, message: [message]
        self._peer = peer
        self._period = 1.0 / rate
        self._size = height, width
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        number = 0
        begin = time.monotonic()
        while not self._stopped.wait(max(0.0, begin + number * self._period - time.monotonic())):
            visible, infrared = random_pair(number, height=self._size[0], width=self._size[1])
            stamp = time.time_ns()
            for camera, message in (("visible", visible), ("infrared", infrared)):
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10**9)
                for changed in self.change(camera, number, message):
                    if camera == "visible":
                        self.numbers[stamp_of(changed)].add(number)
                    getattr(self._peer, camera).publish(changed)
                    self.sent[camera] += 1
            number += 1

    def is_right(self, fused: Image) -> bool:
        """Tell whether an output is what the stub makes of the visible image with its stamp.

        The infrared one may be that which was sent with it, or just before or after.
        """
        pixels = pixels_of(fused)
        size = {"height": self._size[0], "width": self._size[1]}
        return any(
            np.array_equal(pixels, stub_result(random_pair(n, **size)[0], random_pair(m, **size)[1]))
            for n in self.numbers[stamp_of(fused)]
            for m in (n, n - 1, n + 1)
            if m >= 0
        )

    def __enter__(self) -> Cameras:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def stub_result(visible: Image, infrared: Image) -> np.ndarray:
    """Return what the stub makes of an rgb8 and a mono8 message: (H, W, 3)."""
    return pixels_of(visible) // 2 + pixels_of(infrared)[..., None] // 2


def shifted(message: Image, seconds: float) -> Image:
    """Move the stamp of a message, which is returned."""
    moved = stamp_of(message) + round(seconds * 1e9)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(moved, 10**9)
    return message


def counts_of(peer: Peer, camera: str) -> dict[str, int]:
    """Return where the frames of a camera went, by the node's latest diagnostics."""
    words = (item.split() for item in peer.status("synchronisation").get(camera, "").split(", ") if item)
    return {name: int(value) for name, value in words}


class Peer:
    """A node of the test's own process: two cameras, and a subscriber to every output."""

    def __init__(
        self,
        outputs: tuple[str, ...] = tuple(OUTPUTS),
        transport: str = "raw",
        name: str = "peer",
        qos: QoSProfile = RELIABLE,
    ) -> None:
        self.received: dict[str, list[Any]] = defaultdict(list)
        self._came = threading.Condition()
        self.node: Node = rclpy.create_node(name)
        kind, ending = (CompressedImage, "/compressed") if transport == "compressed" else (Image, "")
        self.visible = self.node.create_publisher(kind, f"visible/image{ending}", qos)
        self.infrared = self.node.create_publisher(kind, f"infrared/image{ending}", qos)
        self.camera_info = self.node.create_publisher(CameraInfo, "visible/camera_info", qos)
        self.infrared_info = self.node.create_publisher(CameraInfo, "infrared/camera_info", qos)
        for topic in outputs:
            self.node.create_subscription(OUTPUTS[topic], topic, self._keeper(topic), qos)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._keeper("/diagnostics"), qos)
        self._outputs = outputs
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(String, "psfusion_node/source", self._keeper("source"), latched)
        self._enable = self.node.create_client(SetBool, "psfusion_node/set_enabled")
        self._change = self.node.create_client(ChangeState, "psfusion_node/change_state")
        self._state = self.node.create_client(GetState, "psfusion_node/get_state")
        self._set = self.node.create_client(SetParameters, "psfusion_node/set_parameters")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def connect(self, peers: int = 1) -> None:
        """Wait until the node hears this peer's cameras, and knows the subscriptions of so many peers."""

        def is_connected() -> bool:
            hears = self.visible.get_subscription_count() and self.infrared.get_subscription_count()
            knows = all(
                self.status(f"{camera} input").get("publishers", "0") != "0"
                for camera in ("visible", "infrared")
            )
            status = self.status("outputs")
            return (
                bool(hears)
                and knows
                and all(f"{topic} {peers}" in status.get("subscribers", "") for topic in self._outputs)
            )

        self.wait_until(is_connected, "the node to discover the peer")

    def send(self, visible: AnyImage | None = None, infrared: AnyImage | None = None) -> None:
        if visible is not None:
            self.visible.publish(visible)
        if infrared is not None:
            self.infrared.publish(infrared)

    def set_enabled(self, enabled: bool) -> None:
        assert self._call(self._enable, SetBool.Request(data=enabled)).success

    def set_parameter(self, name: str, value: Any) -> SetParametersResult:
        message = Parameter(name, value=value).to_parameter_msg()
        (result,) = self._call(self._set, SetParameters.Request(parameters=[message])).results
        return result

    def change_state(self, transition: int) -> bool:
        """Ask the node for a transition of its life cycle; tell whether it was made."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(self._call(self._change, request).success)

    def state(self) -> str:
        return str(self._call(self._state, GetState.Request()).current_state.label)

    def subscribers(self, topic: str) -> int:
        return self.node.count_subscribers(topic)

    def _call(self, client: Any, request: Any) -> Any:
        assert client.wait_for_service(PATIENCE)
        future = client.call_async(request)
        self.wait_until(future.done, "the service's answer")
        return future.result()

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
        self.node.destroy_node()
