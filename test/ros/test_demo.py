"""The demo command, from the outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from node_process import PATIENCE, REAL_NODE, ROOT, STUB_NODE, with_checkout

# The demo itself, with another program in place of the node.
WITH_NODE = """
import sys
from psfusion_ros.demo import main, run
run.NODE = {node!r}
sys.exit(main())
"""
PAIRS = 8


def demo(*arguments: str, node: list[str] = STUB_NODE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WITH_NODE.format(node=node), *arguments],
        cwd=ROOT,
        env=with_checkout(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """Write pairs of different sizes, and return the arguments that name them."""
    generator = np.random.default_rng(0)
    for number in range(PAIRS):
        for name, channels in (("visible", 3), ("infrared", 1)):
            (tmp_path / name).mkdir(exist_ok=True)
            pixels = generator.integers(0, 256, (48 + number, 64, channels), np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), pixels)
    return ["--visible", str(tmp_path / "visible"), "--infrared", str(tmp_path / "infrared")]


def test_demo_fuses_a_users_folders_and_prints_the_paths_last(folders: list[str], tmp_path: Path) -> None:
    output = tmp_path / "shown"
    process = demo(*folders, "--output", str(output))
    printed, errors = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, errors
    report = json.loads((output / "record.json").read_text())
    assert f"{PAIRS} pairs sent; {report['summary']}" in printed
    assert report["pairs_in"] == PAIRS
    assert 0 < report["fused"] <= PAIRS
    assert len(list((output / "fused").glob("*.png"))) == report["fused"]
    video, sheet = printed.splitlines()[-2:]
    assert video.endswith(str(output / "side_by_side.mp4"))
    assert sheet.endswith(str(output / "contact_sheet.png"))
    assert cv2.imread(str(output / "contact_sheet.png")) is not None
    assert cv2.VideoCapture(str(output / "side_by_side.mp4")).read()[0]


@pytest.mark.usefixtures("exported_network")
def test_demo_of_a_simulated_drive_with_the_real_network_replaces_an_earlier_drive(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    process = demo("--seconds", "0.6", "--rate", "0.2", "--output", str(tmp_path), node=REAL_NODE)
    printed, errors = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 0, errors
    assert "6 pairs sent; 6 pairs in" in printed
    report = json.loads((tmp_path / "record.json").read_text())
    assert report["fused"] > 0
    assert len(list((tmp_path / "fused").glob("*.png"))) == report["fused"]
    assert report["incomplete"] == {}


def test_demo_shows_the_log_of_a_node_that_does_not_start(folders: list[str], tmp_path: Path) -> None:
    broken = [sys.executable, "-c", "print('no weights here'); raise SystemExit(3)"]
    process = demo(*folders, "--output", str(tmp_path / "shown"), node=broken)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "node ended with status 3" in errors
    assert "no weights here" in errors


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--visible", "vi"], "expected both --visible and --infrared"),
        (["--visible", "missing", "--infrared", "missing"], "missing"),
        (["--visible", "not\nthere", "--infrared", "not\nthere"], "not there"),
    ],
)
def test_demo_without_its_input_ends_with_status_2_and_one_line(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    process = demo(*arguments, "--output", str(tmp_path))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert len(errors.splitlines()) == 1
    assert reason in errors


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_no_process_behind(
    folders: list[str], tmp_path: Path, how: signal.Signals
) -> None:
    process = demo(*folders, "--output", str(tmp_path / "shown"), "--rate", "0.05")
    assert process.stdout is not None
    while "replaying" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(how)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in errors
    deadline = time.monotonic() + PATIENCE
    while is_alive(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
