"""Describes the machine, and measures its speed on a large convolution."""

from __future__ import annotations

import platform
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from psfusion_core.distribution.place import cores
from psfusion_core.models.networks import create_model

LIBRARIES = ("torch", "onnxruntime")
PROBE_CHANNELS, PROBE_HEIGHT, PROBE_WIDTH = 256, 120, 160
PROBE_RUNS = 7


def describe_machine(device: torch.device) -> dict[str, str]:
    """Return processor, cores, threads, GPU and versions, as text by name."""
    facts = {
        "processor": processor_name(),
        "cores": str(cores()),
        "threads": str(torch.get_num_threads()),
        "python": platform.python_version(),
    }
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
    for library in LIBRARIES:
        try:
            facts[library] = version(library)
        except PackageNotFoundError:
            facts[library] = "not installed"
    return facts


def processor_name() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.machine()


@cache
def count_cost(model: str, height: int, width: int) -> tuple[float, float]:
    """Return the parameters in millions, and the GFLOP of one pair for the run-time outputs.

    A multiply-add counts as two operations.
    """
    network = create_model(model, weights=None)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network.fuse_and_segment(torch.rand(1, 3, height, width), torch.rand(1, 1, height, width))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters / 1e6, counter.get_total_flops() / 1e9


@torch.inference_mode()
def convolution_rate(device: torch.device) -> float:
    """Return the GFLOP/s of a 3 x 3 convolution of 256 channels at 120 x 160 in fp32, the best of a few."""
    conv = nn.Conv2d(PROBE_CHANNELS, PROBE_CHANNELS, 3, padding=1, bias=False).to(device)
    conv = conv.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.rand(1, PROBE_CHANNELS, PROBE_HEIGHT, PROBE_WIDTH, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(PROBE_RUNS):
        start = time.perf_counter()
        conv(image)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return 2 * 9 * PROBE_CHANNELS**2 * PROBE_HEIGHT * PROBE_WIDTH / min(seconds) / 1e9
