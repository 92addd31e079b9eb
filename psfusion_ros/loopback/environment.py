"""The environment for ROS processes that communicate with each other on this machine only."""

from __future__ import annotations

import os
import random
import shutil
import socket
import sys
from pathlib import Path
from xml.etree import ElementTree

from psfusion_core.doctor import fastdds_profile

PROCESSES = 6
"""Number of processes with nodes that the shared memory has to suffice for."""

_NAMESPACE = "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"
_SHARED_MEMORY = Path("/dev/shm")
_RESERVATIONS: list[socket.socket] = []


def share_path(name: str) -> Path:
    """Return the path of a file of this package, such as config/fastdds.xml, installed or in a checkout.

    Raises:
        FileNotFoundError: The file is in neither.
    """
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    roots = [Path(__file__).resolve().parents[2], *(Path(p) / "share" / "psfusion_ros" for p in prefixes)]
    for root in roots:
        if (root / name).is_file():
            return root / name
    looked = ", ".join(map(str, roots))
    raise FileNotFoundError(f"expected {name} in one of {looked}: install the package again")


def loopback_environment(directory: Path) -> dict[str, str]:
    """Return this process's environment, changed so that ROS nodes use loopback and shared memory only.

    Every call chooses an unused domain, so that simultaneous runs do not see each other.

    Args:
        directory: An existing, writable folder for the logs and the DDS profile.
    """
    environment = dict(os.environ)
    for name in ("ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER", "ROS_LOCALHOST_ONLY"):
        environment.pop(name, None)
    environment |= {
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_DOMAIN_ID": str(_free_domain()),
        "ROS_LOG_DIR": str(directory / "ros_log"),
        fastdds_profile.variable(environment): str(_loopback_profile(directory / "fastdds.xml")),
        "PYTHONUNBUFFERED": "1",
    }
    if (
        environment.get("ROS_DISTRO") == "humble"
    ):  # has no discovery range; later distributions warn about this
        environment["ROS_LOCALHOST_ONLY"] = "1"
    return environment


def _loopback_profile(path: Path) -> Path:
    """Write config/fastdds.xml with UDP on loopback only and with segments that fit the shared memory."""
    ElementTree.register_namespace("", _NAMESPACE)
    tree = ElementTree.parse(share_path("config/fastdds.xml"))
    for transport in tree.iter(f"{{{_NAMESPACE}}}transport_descriptor"):
        segment = transport.find(f"{{{_NAMESPACE}}}segment_size")
        if segment is None:
            interfaces = ElementTree.SubElement(transport, f"{{{_NAMESPACE}}}interfaceWhiteList")
            ElementTree.SubElement(interfaces, f"{{{_NAMESPACE}}}address").text = "127.0.0.1"
        elif _SHARED_MEMORY.is_dir():  # containers often have 64 MiB in all
            room = shutil.disk_usage(_SHARED_MEMORY).free // (PROCESSES + 1)
            segment.text = str(min(int(segment.text or 0), room))
    tree.write(path, encoding="utf-8", xml_declaration=True)
    return path


def _free_domain() -> int:
    """Return a domain that no process on this machine uses, 1 to 101 (clear of the ephemeral ports).

    Nobody else gets it until this process ends: a socket stays bound to a port that DDS leaves unused.
    """
    for domain in random.sample(range(1, 102), 101):
        ports = 7400 + 250 * domain  # RTPS 2.5, 9.6.2.3; the first participant listens to the tenth
        reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", ports + 10))
                reservation.bind(("127.0.0.1", ports + 2))
            except OSError:
                reservation.close()
                continue
        _RESERVATIONS.append(reservation)
        return domain
    raise OSError("expected a free ROS domain from 1 to 101, got none: end other ROS processes")
