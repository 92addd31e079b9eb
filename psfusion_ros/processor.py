"""From a pair of messages to published pictures: decode, map to grey levels, register, fuse, publish."""

from __future__ import annotations

import time

import numpy as np
from rclpy.node import Node

from psfusion_core.base.wording import one_line, typed_line
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_decoding import to_frame
from psfusion_core.cameras.image_limits import check_fusable
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair
from psfusion_core.cameras.thermal_gain import ThermalGain
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_core.fusion.pair_fuser import PairFuser
from psfusion_core.fusion.pictures import Pictures
from psfusion_core.registration.camera_registration import CameraRegistration
from psfusion_ros.camera_info_cache import CameraInfoCache
from psfusion_ros.image_input import LOG_EVERY
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.item_counts import ItemCounter
from psfusion_ros.missing_camera import passes
from psfusion_ros.outputs import IMAGE_TOPICS, Outputs
from psfusion_ros.synchroniser import Item, UnpairedImage


class Processor:
    """Fuses pairs, passes unpaired images through, and publishes; called in the worker's thread."""

    def __init__(
        self,
        node: Node,
        parameters: NodeParameters,
        fuser: PairFuser,
        camera_infos: CameraInfoCache,
        outputs: Outputs,
        item_counter: ItemCounter,
    ) -> None:
        self._node = node
        self._logger = node.get_logger()
        self._parameters = parameters
        self._gain = ThermalGain(parameters.gain())
        self._camera_infos = camera_infos
        self._registration = CameraRegistration(parameters.registration(), camera_infos.topics)
        self._fuser = fuser
        self._outputs = outputs
        self._item_counter = item_counter

    def retune(self, parameters: NodeParameters) -> None:
        """Apply the parameters that may change at any time."""
        self._parameters = parameters
        self._gain.settings = parameters.gain()

    def process(self, item: Item) -> None:
        """Fuse or pass through one item, and publish the result.

        Raises:
            FrameError: The item cannot be used, and missing.policy allows neither image to be passed through.
            Exception: Whatever the fuser raises if it fails.
        """
        if isinstance(item, StampedPair):
            self._item_counter.note_pair(item.difference)
        topics = self._outputs.subscribed_topics()
        if topics.isdisjoint(IMAGE_TOPICS):
            self._item_counter.count_unwatched()
        elif isinstance(item, UnpairedImage):
            self._pass_through(item.camera, item.image, topics)
        else:
            self._fuse(item, topics)

    def drop(self, error: Exception) -> None:
        """Count and log an item for which `process` raised an error."""
        if not self._node.context.ok():  # publishing failed because ROS was shut down by a signal
            self._item_counter.count_discarded()
        elif isinstance(error, FrameError):
            reason = one_line(error)
            self._item_counter.count_rejected(reason)
            self._logger.warning(f"dropped: {reason}", throttle_duration_sec=LOG_EVERY)
        else:
            reason = typed_line(error)
            self._item_counter.count_failed(reason)
            self._logger.error(f"dropped, the engine failed: {reason}", throttle_duration_sec=LOG_EVERY)

    def _fuse(self, pair: StampedPair[AnyImage], topics: frozenset[str]) -> None:
        try:
            visible = to_frame(pair.visible.payload)
            check_fusable("visible", *visible.image.shape[:2])
        except FrameError as error:
            self._pass_through_instead("infrared", pair.infrared, topics, error)
            return
        try:
            infrared = to_frame(pair.infrared.payload)
            scale = self._gain.follow(infrared.image)
            self._registration.apply_to(self._fuser, self._camera_infos.latest)
            begin = time.monotonic()
            pictures = self._fuser.fuse_frames(visible, infrared, scale, self._outputs.wanted(topics))
        except FrameError as error:  # about the infrared image or the registration
            self._pass_through_instead("visible", pair.visible, topics, error)
            return
        inference = time.monotonic() - begin
        arrival = max(pair.visible.arrival, pair.infrared.arrival)
        if self._publish("both", "visible", pair.visible, pictures, topics):
            self._item_counter.count_published(inference, _seconds_since(arrival))

    def _pass_through_instead(
        self, camera: Camera, image: Stamped[AnyImage], topics: frozenset[str], error: FrameError
    ) -> None:
        """Pass one image of a pair through because the other one cannot be used, or raise the error."""
        if not passes(self._parameters.missing_policy, camera):
            raise error
        self._item_counter.note_rejection(str(error))
        self._pass_through(camera, image, topics)

    def _pass_through(self, camera: Camera, image: Stamped[AnyImage], topics: frozenset[str]) -> None:
        """Publish one camera's image unfused, with an empty mask."""
        if camera == "visible":
            color = to_visible(to_frame(image.payload))
        else:
            levels = self._gain(to_infrared(to_frame(image.payload)))
            color = to_visible(Frame(image.stamp, image.payload.header.frame_id, "mono8", levels))
        pictures = Pictures(color, np.zeros(color.shape[:2], np.uint8), overlay=color)
        if self._publish(camera, camera, image, pictures, topics):
            self._item_counter.count_passed(_seconds_since(image.arrival))

    def _publish(
        self,
        source: str,
        camera: Camera,
        image: Stamped[AnyImage],
        pictures: Pictures,
        topics: frozenset[str],
    ) -> bool:
        """Publish under the header of a camera's image; return False if the node was stopped meanwhile."""
        if not (self._parameters.enabled and self._node.context.ok()):
            self._item_counter.count_discarded()
            return False
        self._outputs.publish_source(source)
        camera_info = self._camera_infos.latest.get(camera)
        self._outputs.publish(topics, image.payload.header, pictures, camera_info)
        return True


def _seconds_since(arrival: int) -> float:
    return (time.monotonic_ns() - arrival) / 1e9
