"""The web server of `view`: whom it answers, and where it serves."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")
pytest.importorskip("aiohttp", reason="needs aiohttp (extra view)")

import aiohttp
from node_process import PATIENCE
from view_process import View

from psfusion_ros.view.server import is_loopback, is_own_name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "rebound.example:{port}"}, 403),
        ({"Host": "10.0.0.7:{port}"}, 403),
        ({"Origin": "http://{address}"}, 200),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_only_those_who_address_the_server_by_its_own_name_are_answered(
    served: str, headers: dict[str, str], status: int
) -> None:
    port = served.rpartition(":")[2]
    given = {name: value.format(address=served, port=port) for name, value in headers.items()}

    async def ask() -> tuple[int, int | None]:
        async with aiohttp.ClientSession(headers=given) as session:
            async with session.get(f"http://{served}/") as response:
                found = response.status
            try:
                async with session.ws_connect(f"http://{served}/images"):
                    return found, 200
            except aiohttp.WSServerHandshakeError as error:
                return found, error.status

    assert asyncio.run(ask()) == (status, status)


@pytest.fixture(scope="module")
def served(session_environment: dict[str, str]) -> Iterator[str]:
    """Return the address of a page that is served for several tests."""
    with View(session_environment, "--port", "0") as view:
        yield view.address()


def test_by_default_the_page_is_reached_from_this_machine_only(served: str) -> None:
    host, port = served.split(":")
    assert host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", int(port)), timeout=5)


def test_a_port_in_use_is_status_2_in_one_line(session_environment: dict[str, str], served: str) -> None:
    with View(session_environment, "--port", served.split(":")[1]) as second:
        _, errors = second.process.communicate(timeout=PATIENCE)
    assert second.process.returncode == 2
    assert len(errors.splitlines()) == 1
    assert "cannot serve on 127.0.0.1" in errors


def test_another_address_is_warned_about(session_environment: dict[str, str]) -> None:
    with View(session_environment, "--host", "192.0.2.1", "--port", "0") as view:  # nobody's
        _, errors = view.process.communicate(timeout=PATIENCE)
    assert "anybody who reaches 192.0.2.1 sees the cameras" in errors.splitlines()[0]
    assert view.process.returncode == 2


@pytest.mark.parametrize(
    ("authority", "host", "expected"),
    [
        ("127.0.0.1:8088", "127.0.0.1", True),
        ("[::1]:8088", "127.0.0.1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("192.168.1.5:8088", "127.0.0.1", False),
        ("192.168.1.5:8088", "0.0.0.0", True),
        ("evil.example", "0.0.0.0", False),
        (f"{socket.gethostname()}:8088", "0.0.0.0", True),
        (f"{socket.gethostname()}:8088", "127.0.0.1", socket.gethostname() == "localhost"),
        ("robot.local:8088", "robot.local", True),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[::1", "127.0.0.1", False),
    ],
)
def test_addresses_and_own_names_are_told_from_names_that_can_be_rebound(
    authority: str, host: str, expected: bool
) -> None:
    assert is_own_name(authority, host) is expected
    assert is_loopback("127.0.0.3")
    assert not is_loopback("0.0.0.0")
