"""The measurement of the node's overhead measures, and notices what is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from node_process import PATIENCE, ROOT


def test_it_prints_and_writes_figures_of_a_node_that_fuses_nothing_away(
    ros_environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "psfusion_ros.overhead", "--rate", "5", "--seconds", "2"]
    size = ["--width", "96", "--height", "64", "--json", str(tmp_path / "figures.json")]
    ended = subprocess.run(
        [*command, *size], env=ros_environment, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE
    )

    assert ended.returncode == 0, ended.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["pairs"] == 10
    assert figures["lost"] == 0
    assert 0 < figures["median_ms"] <= figures["p95_ms"] <= figures["max_ms"]
    assert "96 x 64 at 5 Hz: 10 pairs, 0 lost" in ended.stdout
