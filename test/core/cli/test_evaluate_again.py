"""``psfusion evaluate`` run again, after a change, a kill or an interrupt: what is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from small_evaluation import HEIGHT, WIDTH, command, grey, measured, noise

from psfusion_core.cameras.image_files import write_image
from psfusion_core.cli import main
from psfusion_core.metrics import PROTOCOLS


def test_a_rerun_measures_only_what_is_new_or_has_changed(root: Path) -> None:
    words = command(root, "--fused", f"ours={root / 'fused'}", "--output", str(root / "out"), "--metrics")
    assert main([*words, "EN"]) == 0
    path = root / "out/per_image.csv"
    true = {pair: row["EN"] for (_, _, pair), row in measured(root).items()}
    path.write_text(path.read_text().replace(true["a"], "1.5").replace(true["b"], "2.5"))
    write_image(root / "fused/b.png", np.full((HEIGHT, WIDTH), 9, np.uint8))
    assert main([*words, "EN", "SD"]) == 0
    rows = measured(root)
    assert rows["ours", "clean", "a"]["EN"] == "1.5", "measured anew without need"
    assert rows["ours", "clean", "a"]["SD"] != "", "a metric that was asked for later is missing"
    assert float(rows["ours", "clean", "b"]["EN"]) == 0.0, "a changed image was not measured anew"
    assert rows["ours", "clean", "c"]["EN"] == true["c"]


def test_another_protocol_is_measured_anew(root: Path) -> None:
    words = command(root, "--baseline", "average", "--output", str(root / "out"), "--metrics", "MSE")
    values = []
    for protocol in ("standard", "tang2022"):
        assert main([*words, "--protocol", protocol]) == 0
        values.append(float(measured(root)["average", "clean", "a"]["MSE"]))
    average = np.asarray((grey(root, "vi", "a").astype(int) + grey(root, "ir", "a") + 1) // 2, np.uint8)
    metric = PROTOCOLS["tang2022"]["MSE"]
    assert values[1] == metric(average, grey(root, "vi", "a"), grey(root, "ir", "a")) != values[0]


@pytest.fixture
def long_run(tmp_path: Path) -> list[str]:
    """Words of a run that takes some seconds: 40 pairs, two processes."""
    for seed, folder in enumerate(("vi", "ir")):
        (tmp_path / folder).mkdir()
        for number in range(40):
            write_image(tmp_path / folder / f"{number:02}.png", noise(240, 320, seed=100 * seed + number))
    words = ("--baseline", "average", "--output", str(tmp_path / "out"), "--metrics", "VIF", "Qabf")
    return command(tmp_path, *words, "--workers", "2")


@contextmanager
def started(words: list[str], path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, once three pairs of it are finished."""
    command_line = [sys.executable, "-m", "psfusion_core.cli", *words]
    with subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        while not path.exists() or path.read_text().count("\n") < 4:
            assert run.poll() is None, "ended too early"
            time.sleep(0.005)
        yield run


def test_a_killed_run_goes_on_where_it_was_and_leaves_no_process_behind(
    tmp_path: Path, long_run: list[str]
) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
    finished = path.read_text().splitlines()[1:]
    assert 3 <= len(finished) < 40
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    path.write_text(path.read_text() + "average,clean,39,0123")  # what a kill in mid-write leaves
    assert main(long_run) == 0
    assert len(measured(tmp_path)) == 40
    assert set(finished) <= set(path.read_text().splitlines()), "finished work was done again or lost"


def test_an_interrupted_run_ends_with_130_and_says_so_in_one_line(
    tmp_path: Path, long_run: list[str]
) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        os.killpg(run.pid, signal.SIGINT)  # as Ctrl-C in a terminal
        _, error = run.communicate()
    assert run.returncode == 130
    assert error.splitlines()[-1] == "psfusion evaluate: interrupted"
    assert "Traceback" not in error
    assert 3 <= len(measured(tmp_path)) < 40


def test_where_processes_die_their_work_is_done_by_others(tmp_path: Path, long_run: list[str]) -> None:
    path = tmp_path / "out/per_image.csv"
    with started(long_run, path) as run:
        for child in psutil.Process(run.pid).children():
            if any("spawn_main" in word for word in child.cmdline()):
                child.kill()
        run.communicate()
    assert run.returncode == 0
    assert len(measured(tmp_path)) == 40
