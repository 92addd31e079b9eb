"""`psfusion doctor` on a machine without ROS, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


LIBRARIES = ("numpy", "cv2", "PIL", "kornia", "safetensors", "psutil", "yaml", "tqdm", "torch")
PACKAGES = ("numpy", "opencv-python", "pillow", "kornia", "safetensors", "psutil", "PyYAML", "tqdm")


@pytest.fixture(scope="module")
def without_ros(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment_without(tmp_path_factory.mktemp("site"), "rclpy")


def environment_without(folder: Path, *missing: str) -> dict[str, str]:
    """Return an environment in which all of this Python's libraries are there, but for some modules."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in missing:
            (folder / entry.name).symlink_to(entry)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROS_", "AMENT_"))}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}


def doctor(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-S", "-m", "psfusion_core.cli", "doctor", *arguments]
    return subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_ros_the_rest_is_checked_and_what_is_not_has_a_reason(without_ros: dict[str, str]) -> None:
    done = doctor(without_ros, "--json")
    assert done.returncode == 0, done.stdout
    result: dict[str, Any] = json.loads(done.stdout)
    findings = {row["check"]: row for row in result["findings"]}
    for name in ("python", "libraries", "torch", "network"):
        assert findings[name]["status"] == "ok", findings[name]
    for name in ("topics", "shared memory segment", "socket buffers"):
        assert findings[name]["status"] == "skipped"
        assert "needs ROS 2" in findings[name]["message"]
    assert sum(result["counts"].values()) == len(result["findings"])


def test_what_is_missing_is_an_error_line_with_what_to_do_and_status_1(tmp_path: Path) -> None:
    done = doctor(environment_without(tmp_path, "rclpy", *LIBRARIES))
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    place = lines.index(f"error    libraries: missing: {', '.join(PACKAGES)}")
    assert lines[place + 1].strip() == f"to do: pip install {' '.join(PACKAGES)}"
    assert any(line.startswith("error    torch: ") for line in lines)
    assert any(line.startswith("skipped  network: ") for line in lines)
    assert ", 2 errors, " in lines[-1]
    assert "\033" not in done.stdout  # no terminal, no colours


def test_statuses_are_colored_on_a_terminal_only() -> None:
    leader, follower = os.openpty()
    script = (
        "from psfusion_core.doctor.check import Finding; "
        "from psfusion_core.doctor.doctor_report import DoctorReport; "
        "DoctorReport(False).add('thing', Finding('error', 'broken'))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=follower, check=True)
    os.close(follower)
    assert os.read(leader, 1000).startswith(b"\033[31merror")
    os.close(leader)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "-1"], "--listen is -1"),
        (["--size", "large"], "argument --size: expected WIDTHxHEIGHT"),
        (["--qos", "x"], "qos"),
    ],
)
def test_options_that_make_no_sense_are_status_2(
    without_ros: dict[str, str], arguments: list[str], words: str
) -> None:
    done = doctor(without_ros, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
