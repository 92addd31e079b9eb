"""Starts psfusion_node with a fuser that needs no network: it averages, and finds people where it is hot.

Every pair takes it as many seconds as the environment variable STUB_SECONDS says. Where the visible image
begins with 13, 13 it fails as a broken engine does; with 14, 14 as one without memory, but on the CPU;
with 15, 15 with a ValueError that is not about the images.
"""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import numpy as np

from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.models.classes import CLASS_NAMES, colorize
from psfusion_ros.__main__ import main


class StubFuser:
    """Has the signature of psfusion_core.Fuser."""

    class_names = CLASS_NAMES

    def __init__(self, model: str, weights: str, device: str, engine: str, precision: str) -> None:
        if weights == "missing":
            raise FileNotFoundError("stub: no such weights")
        if (device, engine) == ("cpu", "tensorrt"):
            raise ValueError("stub: tensorrt needs a GPU")
        self._seconds = float(os.environ.get("STUB_SECONDS", "0"))
        self._is_on_cpu = device == "cpu"
        self.device = SimpleNamespace(type="cpu")
        self.description = "stub on cpu" if self._is_on_cpu else "stub on a device"
        self.registration = None

    def release(self) -> None:
        pass

    def fuse_frames(self, color: Frame, heat: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        print("stub: begins", flush=True)
        time.sleep(self._seconds)
        visible, infrared = to_visible(color), scale(to_infrared(heat))
        if (visible[0, 0, :2] == 13).all():
            raise RuntimeError("stub: broken")
        if (visible[0, 0, :2] == 14).all() and not self._is_on_cpu:
            raise RuntimeError("stub: out of memory")
        if (visible[0, 0, :2] == 15).all():
            raise ValueError("stub: a fault of the engine")
        if visible.shape[:2] != infrared.shape:
            raise FrameError("stub: sizes differ")
        image = visible // 2 + infrared[..., None] // 2
        mask = np.where(infrared > 200, 2, 0).astype(np.uint8)
        tinted = None
        if wanted.overlay_opacity is not None:
            weight = np.where(mask, wanted.overlay_opacity, 0.0)[..., None]
            tinted = np.rint(weight * colorize(mask) + (1.0 - weight) * image).astype(np.uint8)
        return Pictures(image if wanted.image else None, mask if wanted.mask else None, tinted)


if __name__ == "__main__":
    sys.exit(main(make_fuser=StubFuser))
