"""Environment for ROS processes that talk to each other on this machine only, and to nobody else."""

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
"""Processes with nodes that shared memory has to suffice for."""

_NAMESPACE = "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"
_SHARED_MEMORY = Path("/dev/shm")


def share_path(name: str) -> Path:
    """Return a file of this package's share directory ("config/fastdds.xml"), installed or in a checkout.

    Raises:
        FileNotFoundError: neither has it.
    """
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    roots = [Path(__file__).resolve().parents[2], *(Path(p) / "share" / "psfusion_ros" for p in prefixes)]
    for root in roots:
        if (root / name).is_file():
            return root / name
    looked = ", ".join(map(str, roots))
    raise FileNotFoundError(f"expected {name} in one of {looked}: install the package again")


def loopback_environment(directory: Path) -> dict[str, str]:
    """Return this process's environment, changed for ROS nodes that only ever use loopback and shared memory.

    Every call gives a domain of its own, so that runs side by side do not see each other.

    Args:
        directory: existing, writable; takes the logs and the DDS profile.
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
    if environment.get("ROS_DISTRO") == "humble":  # knows no discovery range; later ones warn about this
        environment["ROS_LOCALHOST_ONLY"] = "1"
    return environment


def _loopback_profile(path: Path) -> Path:
    """Write our DDS profile with UDP bound to loopback, and with segments that fit the free shared memory."""
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
    """Return a domain in which nobody on this machine listens, 1 to 101 (clear of the ephemeral ports)."""
    for domain in random.sample(range(1, 102), 101):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # The first participant's port (RTPS 2.5, 9.6.2.3).
                probe.bind(("127.0.0.1", 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    raise OSError("expected a free ROS domain from 1 to 101, got none: end other ROS processes")
