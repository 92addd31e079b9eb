"""`psfusion doctor`, as a process, hears real cameras over DDS and finds what is wrong with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from builtin_interfaces.msg import Time
from harness import FAST_DIAGNOSTICS, RELIABLE, Cameras, Peer, shifted
from node_process import ROOT, STUB_NODE, NodeProcess, with_checkout
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from test_transport import compressed_pair

from psfusion_core.doctor.check import Subject
from psfusion_ros.doctor.cv_bridge_check import check_cv_bridge

# The command itself, without the checks that load PyTorch: test/core/doctor has those.
DOCTOR = """
import sys
from psfusion_core.doctor.check_list import MACHINE_CHECKS
MACHINE_CHECKS.clear()
from psfusion_core.cli import main
sys.exit(main(["doctor", "--json", "--listen", "1", *sys.argv[1:]]))
"""
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)

Findings = dict[str, dict[str, str]]


def doctor(environment: dict[str, str], *arguments: str) -> tuple[int, Findings]:
    """Run the command; return its exit status, and the findings by name."""
    done = subprocess.run(
        [sys.executable, "-c", DOCTOR, *arguments],
        env=with_checkout(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout, done.stderr
    rows = json.loads(done.stdout)["findings"]
    return done.returncode, {row["check"]: row for row in rows}


def sending(peer: Peer, change: Callable[[str, int, Any], list[Any]]) -> Cameras:
    """Make cameras whose every message is changed, from the first on."""
    cameras = Cameras(peer)
    cameras.change = change
    return cameras


def statuses(findings: Findings, *names: str) -> list[str]:
    return [findings[name]["status"] for name in names]


@pytest.fixture
def peer(session_environment: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Peer]:
    """Make a peer whose cameras have the QoS that the test is given."""
    with Peer(outputs=(), qos=getattr(request, "param", RELIABLE)) as peer:
        yield peer


def test_cameras_and_a_node_in_order_are_found_so(session_environment: dict[str, str]) -> None:
    with (
        NodeProcess(STUB_NODE, session_environment, FAST_DIAGNOSTICS) as node,
        Peer(("fused/image",)) as peer,
        Cameras(peer, height=480, width=640),
    ):
        node.wait_until_started()
        peer.wait_until(lambda: peer.received["fused/image"], "a fused image")
        status, findings = doctor(session_environment, "--listen", "3")
    assert status == 0, findings
    assert findings["visible images"]["message"].startswith("rgb8 640 x 480, ")
    assert findings["infrared images"]["message"].startswith("mono8 640 x 480, ")
    assert "a frame has 900 KiB (seen), the segment " in findings["shared memory segment"]["message"]
    assert "/peer (reliable, volatile)" in findings["visible publishers"]["message"]
    expected = ("ros start", "visible publishers", "visible images", "visible stamps", "camera clocks",
                "pairing", "output subscribers", "node: engine", "node: visible input")  # fmt: skip
    assert set(statuses(findings, *expected)) == {"ok"}, findings
    assert "stub on a device" in findings["node: engine"]["message"]


def test_a_clock_offset_of_200_ms_between_the_cameras_is_measured(
    session_environment: dict[str, str], peer: Peer
) -> None:
    def delay(camera: str, _: int, message: Image) -> list[Image]:
        return [shifted(message, -0.2 if camera == "infrared" else 0.0)]

    with sending(peer, delay):
        _, findings = doctor(session_environment)
    finding = findings["camera clocks"]
    assert finding["status"] == "warning"
    assert "behind the visible ones" in finding["message"]
    measured = float(finding["fix"].rsplit(" ", 1)[1])
    assert measured == pytest.approx(200.0, abs=49.0)  # the frames are 50 ms apart
    of_the_node = [row for name, row in findings.items() if name.startswith("node")]
    assert [(row["status"], row["message"]) for row in of_the_node] == [
        ("skipped", "no psfusion_node published diagnostics")
    ]


def test_stamps_that_count_since_boot_are_told_so_and_no_offset_is_proposed(
    session_environment: dict[str, str], peer: Peer
) -> None:
    begin = time.time() - 500.0

    def since_boot(camera: str, _: int, message: Image) -> list[Image]:
        return [shifted(message, -begin if camera == "infrared" else 0.0)]

    with sending(peer, since_boot):
        _, findings = doctor(session_environment)
    stamps, clocks = findings["infrared stamps"], findings["camera clocks"]
    assert statuses(findings, "visible stamps", "infrared stamps", "camera clocks") == [
        "ok",
        "warning",
        "warning",
    ]
    assert re.fullmatch(
        r"stamps are \d\d years behind this node's clock, as if counted since boot", stamps["message"]
    )
    assert re.search(
        r"infrared stamps are \d\d years behind the visible ones: one of the clocks", clocks["message"]
    )
    assert "infrared_offset_ms" not in clocks["fix"]
    assert re.search(r"the nearest is \d\d years away", findings["pairing"]["message"])


def test_zero_stamps_and_an_unknown_encoding_are_errors_that_name_the_remedy(
    session_environment: dict[str, str], peer: Peer
) -> None:
    def spoil(camera: str, _: int, message: Image) -> list[Image]:
        if camera == "infrared":
            message.encoding = "32FC7"
            return [message]
        message.header.stamp = Time()
        return [message]

    with sending(peer, spoil):
        status, findings = doctor(session_environment)
    assert status == 1
    assert statuses(findings, "visible stamps", "infrared images", "pairing") == ["error", "error", "skipped"]
    assert findings["visible stamps"]["fix"] == "set header.stamp in the camera driver"
    assert "32FC7" in findings["infrared images"]["message"]


@pytest.mark.parametrize("peer", [BEST_EFFORT], indirect=True)
def test_a_qos_that_does_not_match_is_named_with_its_publisher(
    session_environment: dict[str, str], peer: Peer
) -> None:
    with Cameras(peer):
        status, findings = doctor(session_environment, "--qos", "reliable")
        assert status == 1
        assert "/peer (best effort, volatile)" in findings["visible publishers"]["message"]
        assert "qos.input" in findings["visible publishers"]["fix"]
        assert statuses(findings, "visible images", "camera clocks") == ["error", "skipped"]


def test_compressed_images_are_heard_where_only_those_are_published(
    session_environment: dict[str, str],
) -> None:
    def compress(camera: str, number: int, message: Image) -> list[CompressedImage]:
        made = compressed_pair(number)[camera == "infrared"]
        made.header.stamp = message.header.stamp
        return [made]

    with Peer(outputs=(), transport="compressed") as peer, sending(peer, compress):
        status, findings = doctor(session_environment, "--qos", "auto")
    assert status == 0, findings
    assert findings["visible images"]["message"].startswith("compressed (rgb8; jpeg")
    assert "/visible/image/compressed" in findings["visible publishers"]["message"]


def test_without_publishers_the_topics_that_have_images_are_named(
    session_environment: dict[str, str], peer: Peer
) -> None:
    with Cameras(peer):
        status, findings = doctor(session_environment, "--visible", "/front/image", "--namespace", "/robot")
    assert status == 1
    message = findings["visible publishers"]["message"]
    assert "nobody publishes on /front/image or /front/image/compressed" in message
    assert "images are on /infrared/image, /visible/image" in message
    assert "/robot/infrared/image" in findings["infrared publishers"]["message"]


def test_a_ros_that_does_not_start_is_one_error_and_the_rest_is_still_checked(
    ros_environment: dict[str, str],
) -> None:
    status, findings = doctor({**ros_environment, "RMW_IMPLEMENTATION": "rmw_nothing_cpp"})
    assert status == 1
    assert findings["ros start"]["status"] == "error"
    assert "RMW_IMPLEMENTATION" in findings["ros start"]["fix"]
    assert findings["shared memory segment"]["status"] == "skipped"
    assert "socket buffers" in findings


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("raise ImportError('numpy.core.multiarray failed to import')", "warning", "numpy.core.multiarray"),
        ("import ctypes; ctypes.string_at(0)", "warning", "SIGSEGV"),
        ("import numpy; return numpy.full((1, 1), 255, numpy.uint8)", "ok", "it works with NumPy"),
    ],
)
def test_cv_bridge_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, status: str, words: str
) -> None:
    (tmp_path / "cv_bridge.py").write_text(
        f"class CvBridge:\n    def imgmsg_to_cv2(self, message, encoding):\n        {body}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", with_checkout(os.environ, tmp_path)["PYTHONPATH"])
    finding = check_cv_bridge(Subject({}))
    assert finding.status == status
    assert words in finding.message
