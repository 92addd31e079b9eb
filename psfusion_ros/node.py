"""psfusion_node: visible and infrared image topics in, fused images and class masks out.

Subscriptions only check and store. A synchroniser pairs by stamp; one worker takes the newest pair, runs the
engine and publishes. When the engine is slower than the cameras, pairs in between are dropped and counted.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import rclpy
import rclpy.logging
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo
from std_srvs.srv import SetBool

from psfusion_core.stream.encodings import to_infrared, to_visible
from psfusion_core.stream.gain import ThermalGain
from psfusion_core.stream.pairing import Pair
from psfusion_ros.codec import AnyImage, to_frame
from psfusion_ros.diagnostics import Diagnostics, Sources
from psfusion_ros.inputs import LOG_EVERY, ImageInput
from psfusion_ros.outputs import IMAGE_TOPICS, Outputs
from psfusion_ros.parameters import Parameters, declare
from psfusion_ros.qos import OUTPUT_QOS, describe, input_qos
from psfusion_ros.statistics import PairRecorder
from psfusion_ros.synchroniser import SyncSettings, create_synchroniser
from psfusion_ros.worker import Worker


class Engine(Protocol):
    """What the node needs of `psfusion_core.Fuser`."""

    description: str

    def __call__(self, visible: npt.NDArray[np.uint8], infrared: npt.NDArray[Any]) -> Any: ...


MakeFuser = Callable[..., Engine]


def _make_fuser(**settings: str) -> Engine:
    from psfusion_core.fuser import Fuser  # late: PyTorch takes seconds to import

    return Fuser(**settings)


class PsfusionNode(Node):
    """The fusion node; `start` makes it work, `stop` ends that."""

    def __init__(self, make_fuser: MakeFuser = _make_fuser) -> None:
        """Load the engine, then subscribe.

        Args:
            make_fuser: makes the engine from `model`, `weights`, `device`, `engine` and `precision`.

        Raises:
            ValueError: a parameter makes no sense, or the engine cannot be made of them.
            rclpy.exceptions.ParameterException: a parameter is out of range.
        """
        super().__init__("psfusion_node")
        parameters = declare(self)
        self._gain = ThermalGain(parameters.gain())
        self._synchroniser = create_synchroniser(_sync_settings(parameters))
        self._fuser = make_fuser(
            model=parameters.model,
            weights=parameters.weights,
            device=parameters.device,
            engine=parameters.engine,
            precision=parameters.precision,
        )

        self._enabled = True
        self._pairs = PairRecorder()
        self._outputs = Outputs(self, parameters.overlay_opacity)
        self._camera_info: CameraInfo | None = None
        self._worker = Worker(self._synchroniser.take, self._process, self._engine_failed)
        qos = input_qos(parameters.qos_input, parameters.qos_depth)
        transport = parameters.transport
        self._inputs = (
            ImageInput(self, "visible", qos, transport, self._synchroniser.add_visible),
            ImageInput(self, "infrared", qos, transport, self._synchroniser.add_infrared),
        )
        self.create_subscription(
            CameraInfo, "visible/camera_info", self._store_camera_info, qos_profile_sensor_data
        )
        self.create_service(SetBool, "~/set_enabled", self._set_enabled)
        sources = Sources(
            self._inputs,
            self._synchroniser,
            self._pairs,
            self._outputs,
            self._fuser.description,
            parameters.tolerance_ms,
        )
        self._diagnostics = Diagnostics(self, parameters.diagnostics_period, sources)

    def start(self) -> None:
        """Start the worker and say what the node does."""
        self._worker.start()
        visible, infrared = self._inputs
        given = f"transport {visible.transport}, {describe(visible.qos)}"
        self.get_logger().info(
            f"{self._fuser.description}; in: {visible.topic}, {infrared.topic} ({given}); "
            f"out: {', '.join(self._outputs.topics().values())} ({describe(OUTPUT_QOS)})"
        )

    def stop(self) -> None:
        """End the worker, after the pair in hand."""
        self._enabled = False
        self._synchroniser.close()
        self._worker.join()

    def _store_camera_info(self, message: CameraInfo) -> None:
        self._camera_info = message

    def _set_enabled(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._synchroniser.reset()  # what waits from before must not be published later
        self._enabled = request.data
        for source in self._inputs:
            source.enabled = request.data
        response.success = True
        response.message = "enabled" if request.data else "disabled"
        self.get_logger().info(f"fusion {response.message}")
        return response

    def _process(self, pair: Pair[AnyImage]) -> None:
        """Fuse and publish one pair; runs in the worker's thread."""
        self._pairs.taken(pair.difference)
        wanted = self._outputs.wanted()
        if wanted.isdisjoint(IMAGE_TOPICS):
            self._pairs.unwatched()
            return
        try:
            visible = to_visible(to_frame(pair.visible.payload, "rgb8"))
            infrared = self._gain(to_infrared(to_frame(pair.infrared.payload, "mono8")))
            begin = time.monotonic()
            result = self._fuser(visible, infrared)
            inference = time.monotonic() - begin
        except ValueError as error:  # a FrameError, or the engine about sizes
            self._pairs.rejected(str(error))
            self.get_logger().warning(f"pair dropped: {error}", throttle_duration_sec=LOG_EVERY)
            return
        if not self._enabled or not self.context.ok():
            self._pairs.discarded()
            return
        self._outputs.publish(
            wanted, pair.visible.payload.header, result.image, result.mask, self._camera_info
        )
        arrival = max(pair.visible.arrival, pair.infrared.arrival)
        self._pairs.published(inference, (time.monotonic_ns() - arrival) / 1e9)

    def _engine_failed(self, error: Exception) -> None:
        if not self.context.ok():  # what failed was publishing after a signal
            self._pairs.discarded()
            return
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        self._pairs.failed(reason)
        self.get_logger().error(f"pair dropped: the engine failed: {reason}", throttle_duration_sec=LOG_EVERY)


def _sync_settings(parameters: Parameters) -> SyncSettings:
    return SyncSettings(
        policy=parameters.sync_policy,
        tolerance=round(parameters.tolerance_ms * 1e6),
        visible_offset=round(parameters.visible_offset_ms * 1e6),
        infrared_offset=round(parameters.infrared_offset_ms * 1e6),
        queue_size=parameters.queue_size,
    )


def main(args: list[str] | None = None, make_fuser: MakeFuser = _make_fuser) -> int:
    """Run the node until SIGINT or SIGTERM; return the exit status, 0 after either."""
    # rclpy's own handlers end the spinning; without Python's, no KeyboardInterrupt can hit the clean-up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rclpy.init(args=args)
    try:
        return _run(make_fuser)
    finally:
        rclpy.try_shutdown()


def _run(make_fuser: MakeFuser) -> int:
    try:
        node = PsfusionNode(make_fuser)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
    except (ValueError, OSError, RuntimeError, ImportError, ParameterException) as error:
        if not rclpy.ok():  # told to stop while loading: what needs the context failed, as it must
            return 0
        rclpy.logging.get_logger("psfusion_node").fatal(" ".join(str(error).split()))
        return 1
    try:
        node.start()
        executor.spin()
    except (ExternalShutdownException, RuntimeError):  # the latter where a signal came as spinning began
        if rclpy.ok():
            raise
    finally:
        node.stop()
        node.destroy_node()
    return 0


if __name__ == "__main__":
    sys.exit(main())
