"""Memory must not grow while an engine on the CPU fuses; each engine runs in its own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FRAMES, WARM_UP = 2000, 200


@pytest.mark.usefixtures("exported_network")
@pytest.mark.parametrize(
    "engine",
    ["onnxruntime", *(pytest.param(name, marks=pytest.mark.slow) for name in ("torch", "torch-compile"))],
)
def test_resident_size_stays_flat(engine: str) -> None:
    if engine == "onnxruntime":
        pytest.importorskip("onnxruntime")
    if engine == "torch-compile" and shutil.which("g++") is None:
        pytest.skip("torch-compile needs a C++ compiler")
    done = subprocess.run(
        [sys.executable, Path(__file__), engine],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    settled, after = json.loads(done.stdout.splitlines()[-1])
    assert after == pytest.approx(settled, rel=0.02)


def measure(engine: str) -> tuple[int, int]:
    """Return the resident size after the warm-up and after all frames, bytes."""
    import psutil

    from psfusion_core import Fuser
    from psfusion_core.cameras.frame import Frame
    from psfusion_core.cameras.thermal_gain import ThermalGain
    from psfusion_core.fusion.pictures import Wanted

    fuser, gain = Fuser(device="cpu", engine=engine), ThermalGain()
    random = np.random.default_rng(0)
    visible = Frame(0, "", "bayer_rggb8", random.integers(0, 256, (32, 32), np.uint8))
    infrared = Frame(0, "", "mono16", random.integers(7000, 9000, (32, 32), np.uint16))
    process, settled = psutil.Process(), 0
    for frame in range(WARM_UP + FRAMES):
        fuser.fuse_frames(visible, infrared, gain.follow(infrared.image), Wanted(overlay_opacity=0.5))
        if frame == WARM_UP:
            settled = process.memory_info().rss
    return settled, process.memory_info().rss


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
