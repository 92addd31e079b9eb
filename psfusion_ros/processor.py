"""What becomes of one pair, or of one image without a partner: decode, gain, fuse, publish."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from psfusion_core.cameras.encodings import to_infrared, to_visible
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair
from psfusion_core.cameras.thermal_gain import ThermalGain
from psfusion_core.fusion.pictures import Pictures
from psfusion_core.fusion.recovery import PairFuser
from psfusion_ros.camera_info_cache import CameraInfoCache
from psfusion_ros.image_messages import AnyImage, to_frame
from psfusion_ros.item_counts import ItemRecorder
from psfusion_ros.missing_camera import passes
from psfusion_ros.outputs import IMAGE_TOPICS, Outputs
from psfusion_ros.synchroniser import Alone, Item


class Processor:
    """Fuses and publishes; called in the worker's thread.

    Attributes:
        gain: of the infrared camera.
        missing_policy: whose images are passed through where the other one cannot be used.
    """

    def __init__(
        self,
        fuser: PairFuser,
        gain: ThermalGain,
        calibration: CameraInfoCache,
        outputs: Outputs,
        recorder: ItemRecorder,
        missing_policy: str,
        may_publish: Callable[[], bool],
    ) -> None:
        """Take what is needed.

        Args:
            fuser: fuses.
            gain: turns infrared counts into grey levels.
            calibration: knows both cameras, and how the infrared is laid onto the visible image.
            outputs: publishes.
            recorder: takes notes.
            missing_policy: one of `missing.POLICIES`.
            may_publish: tells whether what was computed is still wanted.
        """
        self.gain = gain
        self.missing_policy = missing_policy
        self._fuser = fuser
        self._calibration = calibration
        self._outputs = outputs
        self._recorder = recorder
        self._may_publish = may_publish

    def __call__(self, item: Item) -> None:
        """Take one item all the way.

        Raises:
            ValueError: it cannot be used, and the policy passes nothing through.
            Exception: whatever the engine raises when it fails.
        """
        self._recorder.taken(item.difference if isinstance(item, StampedPair) else None)
        topics = self._outputs.wanted()
        if topics.isdisjoint(IMAGE_TOPICS):
            self._recorder.unwatched()
        elif isinstance(item, Alone):
            self._pass(item.camera, item.frame, topics)
        else:
            self._fuse(item, topics)

    def _fuse(self, pair: StampedPair[AnyImage], topics: frozenset[str]) -> None:
        try:
            visible = to_frame(pair.visible.payload, "rgb8")
        except FrameError as error:
            return self._pass_instead("infrared", pair, topics, error)
        try:
            infrared = to_frame(pair.infrared.payload, "mono8")
            scale = self.gain.follow(infrared.image)
            self._calibration.apply_to(self._fuser)
            begin = time.monotonic()
            wanted = self._outputs.pictures_for(topics)
            pictures = self._fuser.fuse_frames(visible, infrared, scale, wanted)
        except ValueError as error:  # about the infrared image, its size or its camera's calibration
            return self._pass_instead("visible", pair, topics, error)
        inference = time.monotonic() - begin
        arrival = max(pair.visible.arrival, pair.infrared.arrival)
        if self._publish("both", "visible", pair.visible, pictures, topics):
            self._recorder.published(inference, _seconds_since(arrival))

    def _pass_instead(
        self, camera: Camera, pair: StampedPair[AnyImage], topics: frozenset[str], error: ValueError
    ) -> None:
        """Pass one image of a pair through because the other one cannot be used, or raise the error."""
        if not passes(self.missing_policy, camera):
            raise error
        self._recorder.excused(str(error))
        self._pass(camera, pair.visible if camera == "visible" else pair.infrared, topics)

    def _pass(self, camera: Camera, frame: Stamped[AnyImage], topics: frozenset[str]) -> None:
        """Publish one camera's image as it is, with an empty mask."""
        if camera == "visible":
            image = to_visible(to_frame(frame.payload, "rgb8"))
        else:
            levels = self.gain(to_infrared(to_frame(frame.payload, "mono8")))
            image = to_visible(Frame(frame.stamp, frame.payload.header.frame_id, "mono8", levels))
        pictures = Pictures(image, np.zeros(image.shape[:2], np.uint8), overlay=image)
        if self._publish(camera, camera, frame, pictures, topics):
            self._recorder.passed(_seconds_since(frame.arrival))

    def _publish(
        self,
        source: str,
        camera: Camera,
        frame: Stamped[AnyImage],
        pictures: Pictures,
        topics: frozenset[str],
    ) -> bool:
        """Publish under the header of a camera's image, unless nobody wants it any more; tell which."""
        if not self._may_publish():
            self._recorder.discarded()
            return False
        self._outputs.tell_source(source)
        self._outputs.publish(topics, frame.payload.header, pictures, self._calibration.camera_info(camera))
        return True


def _seconds_since(arrival: int) -> float:
    return (time.monotonic_ns() - arrival) / 1e9
