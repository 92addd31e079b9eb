"""The environment of local ROS processes: nothing leaves the machine, and shared memory suffices."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from node_process import with_checkout

from psfusion_ros.loopback.environment import PROCESSES, loopback_environment, share_path

SPACE = {"": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}
MEBIBYTE = 1 << 20


def texts(path: str | Path, pattern: str) -> list[str | None]:
    return [item.text for item in ElementTree.parse(path).iterfind(pattern, SPACE)]


def test_udp_is_bound_to_loopback_and_peers_of_the_user_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROS_STATIC_PEERS", "192.0.2.1")
    monkeypatch.setenv("ROS_DISCOVERY_SERVER", "192.0.2.1:11811")
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    environment = loopback_environment(tmp_path)
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert not {"ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER", "ROS_LOCALHOST_ONLY"} & environment.keys()
    profile = environment["FASTDDS_DEFAULT_PROFILES_FILE"]
    assert texts(profile, ".//transport_descriptor/interfaceWhiteList/address") == ["127.0.0.1"]


@pytest.mark.parametrize("distribution", ["humble", "jazzy"])
def test_older_distributions_get_the_variables_that_they_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    monkeypatch.setenv("ROS_DISTRO", distribution)
    environment = loopback_environment(tmp_path)
    assert Path(environment["FASTRTPS_DEFAULT_PROFILES_FILE"]).is_file()
    assert environment.get("ROS_LOCALHOST_ONLY") == ("1" if distribution == "humble" else None)


@pytest.mark.parametrize(("free", "expected"), [(24 << 30, 32 * MEBIBYTE), (64 * MEBIBYTE, None)])
def test_segments_are_those_of_the_shipped_profile_but_never_more_than_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, expected: int | None
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    profile = loopback_environment(tmp_path)["FASTDDS_DEFAULT_PROFILES_FILE"]
    (segment,) = (int(text or 0) for text in texts(profile, ".//segment_size"))
    assert PROCESSES * segment < free
    assert segment == expected or (expected is None and segment > 8 * MEBIBYTE)


def test_a_domain_in_use_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        used = next(domain for domain in range(1, 102) if binds(participant, domain))
        others = [domain for domain in range(1, 102) if domain != used]
        monkeypatch.setattr(random, "sample", lambda *_: [used, *others])
        assert int(loopback_environment(tmp_path)["ROS_DOMAIN_ID"]) in others


def test_a_domain_is_given_once_though_nobody_listens_in_it_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "sample", lambda domains, _: list(domains))
    code = (
        "import random, sys; from pathlib import Path; random.sample = lambda domains, _: list(domains);"
        "from psfusion_ros.loopback.environment import loopback_environment;"
        "print(loopback_environment(Path(sys.argv[1]))['ROS_DOMAIN_ID'])"
    )
    ours = [loopback_environment(tmp_path)["ROS_DOMAIN_ID"] for _ in range(2)]
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=with_checkout(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert len({*ours, other.stdout.strip()}) == 3


def binds(participant: socket.socket, domain: int) -> bool:
    try:
        participant.bind(("", 7400 + 250 * domain + 10))
    except OSError:
        return False
    return True


def test_a_file_that_is_not_shipped_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"config/nothing\.xml"):
        share_path("config/nothing.xml")
