"""The registration of a running fuser, made from the settings and the `camera_info` of both cameras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.stamped import Camera
from psfusion_core.registration import CameraModel, RegistrationSettings, make_registration

CAMERAS: tuple[Camera, Camera] = ("visible", "infrared")


class CameraRegistration:
    """Sets the registration of a fuser, and recreates it when a camera_info changes.

    Args:
        settings: The settings of the registration.
        names: Names of the camera_info topics, for the message about a missing one.
    """

    def __init__(self, settings: RegistrationSettings, names: Mapping[Camera, str]) -> None:
        self.settings = settings
        self._names = names
        self._made_of: object = None

    def apply_to(self, fuser: Any, infos: Mapping[Camera, Any]) -> None:
        """Set the registration of a fuser unless it is up to date.

        Args:
            fuser: A `psfusion_core.Fuser`.
            infos: The latest `sensor_msgs/CameraInfo` of each camera that sent one.

        Raises:
            FrameError: Extrinsics need the camera_info of both cameras, and one is missing or invalid.
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
        try:
            models = [_model(infos[camera]) for camera in needed]
            if fuser.registration is None or models != self._made_of:
                fuser.registration = make_registration(self.settings, *models)
                self._made_of = models
        except ValueError as error:
            raise FrameError(str(error)) from error


def _model(info: Any) -> CameraModel:
    return CameraModel(info.width, info.height, tuple(info.k), tuple(info.d), info.distortion_model)
