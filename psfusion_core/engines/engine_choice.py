"""The engines by name, and the automatic choice of one."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Protocol

from psfusion_core.engines.engine import Engine
from psfusion_core.engines.onnx_export import can_export
from psfusion_core.engines.onnxruntime_engine import OnnxRuntimeEngine
from psfusion_core.engines.tensorrt_engine import TensorRTEngine
from psfusion_core.engines.torch_engine import TorchEngine, resolve_device
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite


class EngineMaker(Protocol):
    """Makes an engine of a network."""

    def __call__(self, model: PSFusion | PSFusionLite, device: str, precision: str, /) -> Engine: ...


ENGINES: dict[str, EngineMaker] = {
    "torch": TorchEngine,
    "torch-compile": partial(TorchEngine, compiled=True),
    "onnxruntime": OnnxRuntimeEngine,
    "tensorrt": TensorRTEngine,
}
"""Functions that make an engine of a network, by name."""

FILE_ENGINES: dict[str, type[OnnxRuntimeEngine] | type[TensorRTEngine]] = {
    "onnxruntime": OnnxRuntimeEngine,
    "tensorrt": TensorRTEngine,
}
"""Engines that accept an ONNX file instead of a network; the first is the choice of ``auto``."""


def choose_engine(device: str, precision: str) -> str:
    """Return the name of the engine that ``auto`` chooses.

    On the CPU in fp32 it is onnxruntime, if onnxruntime and the exporter are installed: it is 1.7
    (psfusion_lite) and 2.3 (psfusion) times as fast as torch (docs/performance.md). Otherwise it is torch,
    also on a GPU, where onnxruntime and tensorrt have not been measured.

    Raises:
        ValueError: The device does not exist.
    """
    on_cpu = resolve_device(device).type == "cpu"
    has_runtime = find_spec("onnxruntime") is not None and can_export()
    return "onnxruntime" if on_cpu and has_runtime and precision in ("auto", "fp32") else "torch"
