"""Registration: where each visible pixel lies in the infrared image, and how it is calibrated.

Pixel coordinates are (x, y) with the centre of the first pixel at (0, 0), as in OpenCV and ROS; sizes are
(width, height). Camera coordinates are optical ones (REP 103): x right, y down, z forward, metres.
"""

from psfusion_core.registration.camera_model import CameraModel
from psfusion_core.registration.extrinsics import ExtrinsicRegistration
from psfusion_core.registration.homography import HomographyRegistration
from psfusion_core.registration.pixel_map import Registration, Size
from psfusion_core.registration.registration_files import (
    read_camera,
    read_registration,
    write_camera,
    write_registration,
)
from psfusion_core.registration.registration_settings import RegistrationSettings, make_registration

__all__ = [
    "CameraModel",
    "ExtrinsicRegistration",
    "HomographyRegistration",
    "Registration",
    "RegistrationSettings",
    "Size",
    "make_registration",
    "read_camera",
    "read_registration",
    "write_camera",
    "write_registration",
]
