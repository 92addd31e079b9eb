"""The engines by name, and the one that ``auto`` stands for."""

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
"""Makers of engines by name."""

FILE_ENGINES: dict[str, type[OnnxRuntimeEngine] | type[TensorRTEngine]] = {
    "onnxruntime": OnnxRuntimeEngine,
    "tensorrt": TensorRTEngine,
}
"""Those among them that take an ONNX file instead of a network, the one that ``auto`` stands for first."""


def choose_engine(device: str, precision: str) -> str:
    """Return the name of the engine that ``auto`` stands for.

    On the CPU in fp32 that is onnxruntime where it is installed together with what writes its file: 1.7
    (psfusion_lite) and 2.3 times (psfusion) as fast as torch (docs/performance.md). Else it is torch, on a
    GPU too: neither onnxruntime nor tensorrt has been measured there.

    Raises:
        ValueError: the device does not exist here.
    """
    on_cpu = resolve_device(device).type == "cpu"
    has_runtime = find_spec("onnxruntime") is not None and can_export()
    return "onnxruntime" if on_cpu and has_runtime and precision in ("auto", "fp32") else "torch"
