"""What all tests share: Hypothesis without deadlines, one thread a process, and one exported network."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

import psfusion_core  # noqa: F401  # turns the telemetry of ONNX Runtime off before a test loads it

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many processes as the machine can run; PyTorch reads this when it is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts `make test &` so, and the processes that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def exported_network(shared_folder: Path) -> None:
    """Export the shipped network for ONNX Runtime into the user's cache, unless it is there.

    On a busy machine that takes minutes, longer than tests wait for a process.
    """
    from psfusion_core import create_model
    from psfusion_core.engines.engine_choice import choose_engine
    from psfusion_core.engines.onnx_cache import cached_file

    if choose_engine("cpu", "auto") != "onnxruntime":
        return
    with (shared_folder / "export.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cached_file(create_model(), "fp32")
