"""The executables where there is no ROS: one line that says how to get it. These tests need none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from psfusion_ros.without_ros import explain_missing_ros

ROOT = Path(__file__).resolve().parents[1]

WITHOUT = """
import runpy, sys
missing, module = sys.argv[1:]
sys.modules[missing] = None  # importing it fails as if it were not installed
del sys.argv[1:]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("missing", ["rclpy", "sensor_msgs"])
@pytest.mark.parametrize(
    ("module", "program"),
    [
        ("psfusion_ros", "psfusion_node"),
        ("psfusion_ros.view", "view"),
        ("psfusion_ros.replay", "replay"),
        ("psfusion_ros.record", "record"),
        ("psfusion_ros.demo", "demo"),
    ],
)
def test_an_executable_without_ros_says_in_one_line_how_to_get_it(
    module: str, program: str, missing: str
) -> None:
    words = [sys.executable, "-c", WITHOUT, missing, module]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{program}: ")
    assert missing in line
    assert "source a ROS 2 installation" in line
    assert "ros-wheels" in line


def test_what_is_no_package_of_ros_is_not_explained_away() -> None:
    error = ImportError("no module named tqdm", name="tqdm")
    with pytest.raises(ImportError, match="tqdm") as raised:
        explain_missing_ros("view", error)
    assert raised.value is error
