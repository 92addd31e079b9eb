"""Starts psfusion_node with an engine that needs no network: it averages, and finds people where it is hot.

Every pair takes it as many seconds as the environment variable STUB_SECONDS says. It fails, as an engine
without memory does, where the visible image begins with 13, 13.
"""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import numpy as np

from psfusion_ros.node import main


class StubFuser:
    """Has the signature of psfusion_core.Fuser."""

    description = "stub on cpu"

    def __init__(self, model: str, weights: str, device: str, engine: str, precision: str) -> None:
        self._seconds = float(os.environ.get("STUB_SECONDS", "0"))

    def __call__(self, visible: np.ndarray, infrared: np.ndarray) -> SimpleNamespace:
        print("stub: begins", flush=True)
        time.sleep(self._seconds)
        if (visible[0, 0, :2] == 13).all():
            raise RuntimeError("stub: out of memory")
        assert infrared.dtype == np.uint8, "the node applies the thermal gain"
        if visible.shape[:2] != infrared.shape:
            raise ValueError("stub: sizes differ")
        image = visible // 2 + infrared[..., None] // 2
        return SimpleNamespace(image=image, mask=np.where(infrared > 200, 2, 0).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main(make_fuser=StubFuser))
