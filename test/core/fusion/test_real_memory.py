"""Real engines in a process whose memory is limited: running out is recognised, and fusing goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from psfusion_core.cameras.image_files import write_image

ROOT = Path(__file__).resolve().parents[3]

BEGIN = """
import resource
import numpy as np
import psutil
import torch

torch.set_num_threads(1)
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.fusion.fuser import Fuser
from psfusion_core.fusion.pictures import Wanted
from psfusion_core.fusion.recovery import RecoveringFuser

def limit(mebibytes):
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + mebibytes * 2**20,) * 2)

def fuse(fuser, height, width):
    visible = Frame(0, "", "rgb8", np.zeros((height, width, 3), np.uint8))
    infrared = Frame(0, "", "mono8", np.zeros((height, width), np.uint8))
    return fuser.fuse_frames(visible, infrared, GreyScale(0.0, 255.0), Wanted())
"""


def run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BEGIN + program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("exported_network")
@pytest.mark.parametrize(
    ("engine", "mebibytes"), [pytest.param("torch", 600, marks=pytest.mark.slow), ("onnxruntime", 500)]
)
def test_a_real_engine_without_memory_goes_on_at_half_size(engine: str, mebibytes: int) -> None:
    printed = run(
        f"""
fuser = RecoveringFuser(lambda: Fuser(device="cpu", engine={engine!r}), lambda: Fuser(device="cpu"), "half")
limit({mebibytes})
pictures = fuse(fuser, 1280, 1920)
print(fuser.retries, fuser.fallbacks, fuser.description, pictures.image.shape, pictures.mask.shape)
"""
    )

    assert printed.startswith(f"1 1 psfusion_lite, {engine} fp32 on cpu")
    assert printed.rstrip().endswith("at half size (1280, 1920, 3) (1280, 1920)")


@pytest.mark.usefixtures("exported_network")
def test_a_fuser_that_fails_for_memory_is_replaced_by_a_real_one_of_the_automatic_engine() -> None:
    printed = run(
        """
def first():
    fuser = Fuser(device="cpu", engine="torch", precision="bf16")
    fuser.engine._run = lambda visible, infrared: torch.empty(1 << 60)
    return fuser

fuser = RecoveringFuser(first, lambda: Fuser(device="cpu"), "cpu")
pictures = fuse(fuser, 64, 96)
print(fuser.description, pictures.image.shape)
"""
    )

    assert printed.startswith("psfusion_lite, onnxruntime fp32 on cpu")


@pytest.mark.usefixtures("exported_network")
def test_a_file_that_cannot_be_opened_for_want_of_memory_is_not_blamed() -> None:
    printed = run(
        """
from psfusion_core.engines.memory import is_out_of_memory
from psfusion_core.engines.onnx_cache import find_file
from psfusion_core.engines.onnxruntime_engine import import_runtime, open_session
from psfusion_core.models.networks import create_model

cpu = torch.device("cpu")
path, _ = find_file(create_model("psfusion_lite"), "fp32", cpu, ("fp32",), "onnxruntime")
runtime = import_runtime(cpu)
sessions = [open_session(runtime, path, cpu)]
limit(1)
try:
    while len(sessions) < 50:
        sessions.append(open_session(runtime, path, cpu))
except Exception as error:
    print(type(error).__name__, is_out_of_memory(error))
"""
    )

    assert printed.split() in (["Fail", "True"], ["RuntimeException", "True"], ["MemoryError", "True"])


@pytest.mark.usefixtures("exported_network")
@pytest.mark.parametrize("engine", [pytest.param("torch", marks=pytest.mark.slow), "onnxruntime"])
def test_fuse_names_the_pair_that_has_no_memory_and_fuses_the_pair_behind_it(
    tmp_path: Path, engine: str
) -> None:
    for name, (height, width) in {"1_large": (2400, 3200), "2_small": (64, 96)}.items():
        for folder, shape in (("vi", (height, width, 3)), ("ir", (height, width))):
            (tmp_path / folder).mkdir(exist_ok=True)
            write_image(tmp_path / folder / f"{name}.png", np.zeros(shape, np.uint8))

    printed = run(
        f"""
import sys
from psfusion_core.cli import main

sys.stderr = sys.stdout
limit(900)
words = "fuse --visible {tmp_path}/vi --infrared {tmp_path}/ir --output {tmp_path}/out --engine {engine}"
print("status", main([*words.split(), "--device", "cpu"]))
"""
    )

    (skipped,) = (line for line in printed.splitlines() if line.startswith("skipped"))
    assert skipped.startswith("skipped 1_large: expected memory for a pair of this size, got none (")
    assert printed.rstrip().endswith("status 1")
    assert "1 fused, 1 skipped" in printed
    assert [path.name for path in (tmp_path / "out" / "fused").iterdir()] == ["2_small.png"]
