"""What ``psfusion doctor`` looks at where there is ROS: topics, stamps, clocks, and a node that runs.

``psfusion_core.cli.doctor`` imports this module by name once it has seen that rclpy is there.
"""

from __future__ import annotations

from functools import partial

from psfusion_core.doctor.check import Check
from psfusion_core.registration.camera_registration import CAMERAS
from psfusion_ros.doctor.camera_checks import check_images, check_publishers, check_stamps
from psfusion_ros.doctor.conversion import check_cv_bridge
from psfusion_ros.doctor.hearing import Hearing
from psfusion_ros.doctor.listening import listen
from psfusion_ros.doctor.node_checks import check_output_subscribers, node_checks
from psfusion_ros.doctor.synchrony import check_clocks, check_pairing

__all__ = ["INSTALLATION_CHECKS", "listen", "live_checks"]

INSTALLATION_CHECKS: list[tuple[str, Check]] = [("cv_bridge", check_cv_bridge)]


def live_checks(hearing: Hearing) -> list[tuple[str, Check]]:
    """Return the checks of what was heard."""
    checks: list[tuple[str, Check]] = []
    for camera in CAMERAS:
        heard = hearing.cameras[camera]
        checks += [
            (f"{camera} publishers", partial(check_publishers, hearing, heard)),
            (f"{camera} images", partial(check_images, heard)),
            (f"{camera} stamps", partial(check_stamps, heard)),
        ]
    checks += [
        ("camera clocks", partial(check_clocks, hearing)),
        ("pairing", partial(check_pairing, hearing)),
        ("output subscribers", partial(check_output_subscribers, hearing)),
    ]
    return checks + node_checks(hearing)
