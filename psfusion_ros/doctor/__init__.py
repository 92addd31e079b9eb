"""The checks of ``psfusion doctor`` that need ROS: topics, stamps, clocks, and a running node.

``psfusion_core.cli.doctor`` imports this module by its name if rclpy is installed.
"""

from __future__ import annotations

from functools import partial

from psfusion_core.doctor.check import Check
from psfusion_core.registration.camera_registration import CAMERAS
from psfusion_ros.doctor.camera_checks import check_images, check_publishers, check_stamps
from psfusion_ros.doctor.cv_bridge_check import check_cv_bridge
from psfusion_ros.doctor.listening import listen
from psfusion_ros.doctor.node_checks import check_output_subscribers, node_checks
from psfusion_ros.doctor.observations import Observations
from psfusion_ros.doctor.synchronisation_checks import check_clocks, check_pairing

__all__ = ["INSTALLATION_CHECKS", "listen", "live_checks"]

INSTALLATION_CHECKS: list[tuple[str, Check]] = [("cv_bridge", check_cv_bridge)]


def live_checks(observations: Observations) -> list[tuple[str, Check]]:
    """Return the checks of the observed cameras and nodes."""
    checks: list[tuple[str, Check]] = []
    for name in CAMERAS:
        camera = observations.cameras[name]
        checks += [
            (f"{name} publishers", partial(check_publishers, observations, camera)),
            (f"{name} images", partial(check_images, camera)),
            (f"{name} stamps", partial(check_stamps, camera)),
        ]
    checks += [
        ("camera clocks", partial(check_clocks, observations)),
        ("pairing", partial(check_pairing, observations)),
        ("output subscribers", partial(check_output_subscribers, observations)),
    ]
    return checks + node_checks(observations)
