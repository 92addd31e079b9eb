"""The settings of a registration, as in a ROS parameter file, and the registration made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.extrinsics import ExtrinsicRegistration
from psfusion_core.registration.homography import HomographyRegistration
from psfusion_core.registration.pixel_map import Registration, Size

Mode = Literal["none", "homography", "extrinsics"]

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

ROTATION_TOLERANCE = 1e-3
"""Largest difference between an entry of R R^T and the identity; files round the digits."""

MAXIMUM_CONDITION = 1e12
"""Largest condition number of an invertible homography; shifts of thousands of pixels are far below it."""


@dataclass(frozen=True)
class RegistrationSettings:
    """The settings that register the infrared image to the visible image.

    Args:
        mode: none, homography or extrinsics.
        homography: 3 x 3, row by row, from visible to infrared pixels.
        visible_size: Width and height of the visible images of the homography; (0, 0) for any size.
        infrared_size: The same for the infrared images.
        rotation: R of the extrinsics, row by row: p_infrared = R p_visible + t.
        translation: t, metres.
        distance: Distance from the visible camera at which the two images coincide, metres.

    Raises:
        ValueError: A value is invalid; the message is one line.
    """

    mode: str = "none"
    homography: tuple[float, ...] = IDENTITY
    visible_size: tuple[int, ...] = (0, 0)
    infrared_size: tuple[int, ...] = (0, 0)
    rotation: tuple[float, ...] = IDENTITY
    translation: tuple[float, ...] = (0.0, 0.0, 0.0)
    distance: float = 10.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(
                f"expected registration.mode {', '.join(get_args(Mode))}, got {self.mode!r}: "
                "choose one of these"
            )
        for name, count in (("homography", 9), ("rotation", 9), ("translation", 3)):
            values = getattr(self, name)
            if len(values) != count or not all(math.isfinite(value) for value in values):
                raise ValueError(
                    f"expected registration.{name} to be {count} finite numbers, got {list(values)}: "
                    "run psfusion calibrate"
                )
        for name in ("visible_size", "infrared_size"):
            size = getattr(self, name)
            if len(size) != 2 or (tuple(size) != (0, 0) and min(size) < 1):
                raise ValueError(
                    f"expected registration.{name} to be width and height, got {list(size)}: [0, 0] is any"
                )
        matrix = np.reshape(self.homography, (3, 3))
        if np.linalg.cond(matrix) > MAXIMUM_CONDITION or matrix[2, 2] == 0.0:
            raise ValueError(
                f"expected registration.homography to have an inverse, got {list(self.homography)}: "
                "run psfusion calibrate"
            )
        rotation = np.reshape(self.rotation, (3, 3))
        if (
            np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE
            or np.linalg.det(rotation) < 0.0
        ):
            raise ValueError(
                f"expected registration.rotation to be a rotation (orthonormal, determinant 1), got "
                f"{list(self.rotation)}: run psfusion calibrate --checkerboard"
            )
        if not 0.0 < self.distance < math.inf:
            raise ValueError(f"expected registration.distance over 0 m, got {self.distance}: try 10")


def make_registration(
    settings: RegistrationSettings,
    visible_camera: CameraModel | None = None,
    infrared_camera: CameraModel | None = None,
) -> Registration | None:
    """Make the registration that the settings describe; None in mode none.

    Raises:
        ValueError: The mode is extrinsics and a camera is missing.
    """
    if settings.mode == "none":
        return None
    if settings.mode == "homography":
        return HomographyRegistration(
            settings.homography, _size(settings.visible_size), _size(settings.infrared_size)
        )
    if visible_camera is None or infrared_camera is None:
        missing = [
            name
            for name, camera in (("visible", visible_camera), ("infrared", infrared_camera))
            if camera is None
        ]
        raise ValueError(
            "expected the calibration of both cameras for registration.mode extrinsics, got none of the "
            f"{' and the '.join(missing)} camera: give it, or calibrate a homography"
        )
    return ExtrinsicRegistration(
        visible_camera, infrared_camera, settings.rotation, settings.translation, settings.distance
    )


def _size(values: tuple[int, ...]) -> Size:
    return values[0], values[1]
