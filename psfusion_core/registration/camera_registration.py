"""The registration that the settings and the `camera_info` of both cameras make together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.stamped import Camera
from psfusion_core.registration import CameraModel, RegistrationSettings, make_registration

CAMERAS: tuple[Camera, Camera] = ("visible", "infrared")


class CameraRegistration:
    """Gives a fuser the registration, and makes it anew where a camera says something else of itself."""

    def __init__(self, settings: RegistrationSettings, names: Mapping[Camera, str]) -> None:
        """Take what is needed.

        Args:
            settings: how the infrared is laid onto the visible image.
            names: of the camera_info topics, for what is said about a missing one.
        """
        self.settings = settings
        self._names = names
        self._made_of: object = None

    def apply_to(self, fuser: Any, infos: Mapping[Camera, Any]) -> None:
        """Give a fuser the registration, where it has not got it yet.

        Args:
            fuser: a `psfusion_core.Fuser`.
            infos: the latest `sensor_msgs/CameraInfo` of each camera that sent one.

        Raises:
            FrameError: extrinsics need the camera_info of both cameras, and one has not come.
            ValueError: a camera_info makes no sense.
        """
        if self.settings.mode == "none":
            return
        needed = CAMERAS if self.settings.mode == "extrinsics" else ()
        missing = [self._names[camera] for camera in needed if camera not in infos]
        if missing:
            raise FrameError(
                "expected camera_info of both cameras for registration.mode extrinsics, got none on "
                f"{' and '.join(missing)}: publish it, or calibrate a homography"
            )
        models = [_model(infos[camera]) for camera in needed]
        if fuser.registration is None or models != self._made_of:
            fuser.registration = make_registration(self.settings, *models)
            self._made_of = models


def _model(info: Any) -> CameraModel:
    return CameraModel(info.width, info.height, tuple(info.k), tuple(info.d), info.distortion_model)
