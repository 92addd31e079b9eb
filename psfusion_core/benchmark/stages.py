"""Times the stages of one configuration, from serialised inputs to serialised outputs, and its peak memory.

``python -m psfusion_core.benchmark.stages JSON`` measures one configuration and prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from psfusion_core.cameras.encodings import decode
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.thermal_gain import GreyScale, ThermalGain
from psfusion_core.cameras.unpack import grey_levels, intensity, visible_image
from psfusion_core.cameras.upload import upload
from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.engines.engine import Engine
from psfusion_core.engines.engine_choice import ENGINES
from psfusion_core.engines.memory import trim_heap
from psfusion_core.engines.torch_engine import resolve_device
from psfusion_core.fusion.compose import compose, download
from psfusion_core.fusion.pictures import Wanted
from psfusion_core.fusion.placement import lay_on_visible, pad
from psfusion_core.models.networks import create_model

STAGES = ("decode", "upload", "preprocess", "network", "postprocess", "download", "encode")
"""Decode makes views of a bgr8 and a mono16 message, and follows the thermal range. Encode makes bytes."""

EVERYTHING = Wanted(overlay_opacity=0.5)

PLAIN = "plain"
"""Name of the baseline: the network as trained, eager, in fp32, with all six outputs."""


@dataclass(frozen=True)
class Configuration:
    """One line of the benchmark.

    Attributes:
        model, engine, precision, device: The arguments of `Fuser`; the engine may also be PLAIN.
        height, width: The size of the images in pixels.
        runs: The number of timed runs, after a few untimed ones.
    """

    model: str
    engine: str
    precision: str
    device: str
    height: int
    width: int
    runs: int


class PlainEngine:
    """The baseline, with the interface of an engine."""

    size: tuple[int, int] | None = None

    def __init__(self, model: torch.nn.Module, device: str) -> None:
        self.device = resolve_device(device)
        self.description = f"plain eager fp32 on {self.device}"
        self._model = model.to(self.device)

    @torch.inference_mode()
    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        with flushed_denormals():
            output = self._model(visible, infrared)
        return output.fused, output.semantic

    def release(self) -> None:
        """Do nothing: eager PyTorch keeps no memory for a size."""


def make_engine(configuration: Configuration) -> Engine:
    """Make the engine of a configuration, with shipped weights, or random ones if none are shipped."""
    torch.manual_seed(0)
    weights = "default" if configuration.model == "psfusion_lite" else None
    model = create_model(configuration.model, weights=weights)
    if configuration.engine == PLAIN:
        return PlainEngine(model, configuration.device)
    return ENGINES[configuration.engine](model, configuration.device, configuration.precision)


class TimedPair:
    """Fuses a pair of random messages stage by stage, and measures the time of each stage."""

    def __init__(self, engine: Engine, height: int, width: int) -> None:
        self.engine = engine
        self._size = height, width
        random = np.random.default_rng(0)
        self._visible = random.integers(0, 256, (height, width, 3), np.uint8).tobytes()
        self._infrared = random.integers(20_000, 30_000, (height, width), np.uint16).tobytes()
        self._gain = ThermalGain()

    def __call__(self) -> list[float]:
        """Fuse once, and return the time of each of STAGES in milliseconds."""
        times = [self._now()]

        def stamped(result: Any) -> Any:
            times.append(self._now())
            return result

        device = self.engine.device
        visible, infrared, scale = stamped(self._decode())
        pixels, counts = stamped((upload(visible.image, device), upload(infrared.image, device)))
        color = visible_image(pixels, visible.encoding)
        heat = grey_levels(intensity(counts, infrared.encoding), scale)
        images = stamped(pad(color, lay_on_visible(heat, color, None)))
        fused, logits = stamped(self.engine(*images))
        pictures = stamped(compose(EVERYTHING, color, fused, logits, None))
        on_host = stamped(download(pictures))
        stamped([picture.tobytes() for picture in on_host if picture is not None])
        return [1000.0 * (end - start) for start, end in pairwise(times)]

    def _decode(self) -> tuple[Frame, Frame, GreyScale]:
        height, width = self._size
        visible = decode(self._visible, "bgr8", height, width, 3 * width)
        infrared = decode(self._infrared, "mono16", height, width, 2 * width)
        frames = Frame(0, "visible", "bgr8", visible), Frame(0, "infrared", "mono16", infrared)
        return *frames, self._gain.follow(infrared)

    def _now(self) -> float:
        if self.engine.device.type == "cuda":
            torch.cuda.synchronize(self.engine.device)
        return time.perf_counter()


def summarise_times(samples: list[list[float]]) -> dict[str, Any]:
    """Return the median and the 95th percentile of each stage and of the total, in milliseconds."""
    table = np.array(samples)
    table = np.column_stack([table, table.sum(axis=1)])
    names = [*STAGES, "total"]
    median, p95 = np.median(table, axis=0), np.percentile(table, 95, axis=0)
    return {
        "median_ms": dict(zip(names, median.round(2).tolist(), strict=True)),
        "p95_ms": dict(zip(names, p95.round(2).tolist(), strict=True)),
        "frames_per_second": round(1000.0 / float(median[-1]), 2),
    }


def measure(configuration: Configuration) -> dict[str, Any]:
    """Measure one configuration in this process. The result includes the peak memory of the process."""
    engine = make_engine(configuration)
    trim_heap()
    fuse = TimedPair(engine, configuration.height, configuration.width)
    samples = [fuse() for _ in range(2 + configuration.runs)][2:]
    if engine.device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(engine.device)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**asdict(configuration), **summarise_times(samples), "peak_mib": round(peak / 2**20)}


if __name__ == "__main__":
    print(json.dumps(measure(Configuration(**json.loads(sys.argv[1])))))
