"""The engine that runs a network in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.engines.memory import is_out_of_memory
from psfusion_core.engines.onnx_cache import find_file
from psfusion_core.engines.onnx_header import (
    INPUTS,
    OUTPUTS,
    check_precision,
    check_shapes,
    make_header,
)
from psfusion_core.engines.torch_engine import name_device, resolve_device
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

PRECISIONS = {"cpu": ("fp32",), "cuda": ("fp32", "fp16")}
"""Precisions by type of device."""


class OnnxRuntimeEngine:
    """ONNX Runtime engine, for the CPU and CUDA; batches of one.

    On CUDA, ONNX Runtime uses its TensorRT provider if it has one, and CUDA for the remaining operators. This
    has not been run.

    Args:
        source: A network, which is exported to the cache (tens of seconds, once per set of weights), or an
            ONNX file that `psfusion export` wrote.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (the precision of a file; for a network fp16 on a GPU and fp32 on the CPU),
            ``fp32``, or on CUDA ``fp16``.

    Attributes:
        size: Height and width of a file with a fixed size, else None.
        metadata: Model, classes and precision in the file.

    Raises:
        ImportError: ONNX Runtime or its CUDA support is missing; the message says what to install.
        ValueError: The engine or the file does not have the precision, the device does not exist, or the file
            is not a fusion network.
    """

    def __init__(
        self, source: PSFusion | PSFusionLite | Path, device: str = "auto", precision: str = "auto"
    ) -> None:
        self.device = resolve_device(device)
        runtime = import_runtime(self.device)
        kind = self.device.type
        path, precision = find_file(
            source, precision, self.device, PRECISIONS[kind], f"onnxruntime on {kind}"
        )
        # ONNX Runtime flushes denormals in the thread that opens or runs a session, and does not restore it.
        with flushed_denormals():
            self._session = open_session(runtime, path, self.device)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        header = make_header(
            path,
            [value.name for value in inputs],
            [value.name for value in outputs],
            inputs[0].shape[2:] if inputs else (),
            self._session.get_modelmeta().custom_metadata_map,
        )
        check_precision(path, header.precision, precision)
        self.metadata, self.size = header.metadata, header.size
        self.description = f"onnxruntime {header.precision} on {name_device(self.device)}"

    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        check_shapes(visible, self.size)
        if self.device.type == "cpu":
            images = (visible.contiguous().numpy(), infrared.contiguous().numpy())
            with flushed_denormals():
                fused, semantic = self._session.run(OUTPUTS, dict(zip(INPUTS, images, strict=True)))
            return torch.from_numpy(fused), torch.from_numpy(semantic)
        return self._run_on_gpu(visible.contiguous(), infrared.contiguous())

    def release(self) -> None:
        """Do nothing: ONNX Runtime keeps no memory for a size (see `open_session`)."""

    def _run_on_gpu(self, *images: Tensor) -> tuple[Tensor, Tensor]:
        """Run on tensors in GPU memory; ONNX Runtime uses its own stream."""
        classes = self._session.get_outputs()[1].shape[1]
        height, width = images[0].shape[-2:]
        results = [torch.empty(1, count, height, width, device=self.device) for count in (1, classes)]
        binding = self._session.io_binding()
        index = self.device.index or 0
        for name, tensor in zip(INPUTS, images, strict=True):
            binding.bind_input(name, "cuda", index, np.float32, tuple(tensor.shape), tensor.data_ptr())
        for name, tensor in zip(OUTPUTS, results, strict=True):
            binding.bind_output(name, "cuda", index, np.float32, tuple(tensor.shape), tensor.data_ptr())
        torch.cuda.current_stream(self.device).synchronize()
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return results[0], results[1]


def import_runtime(device: torch.device) -> Any:
    """Import ONNX Runtime.

    Raises:
        ImportError: It is not installed, or has no CUDA support although the device needs it.
    """
    package = "onnxruntime-gpu" if device.type == "cuda" else "onnxruntime"
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(f"engine onnxruntime needs ONNX Runtime: pip install {package}") from error
    if device.type == "cuda" and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ImportError(
            "this ONNX Runtime has no part for CUDA: pip uninstall onnxruntime && pip install onnxruntime-gpu"
        )
    return onnxruntime


def open_session(runtime: Any, path: Path, device: torch.device) -> Any:
    """Open a file for one device.

    Raises:
        ValueError: The file is not an ONNX file.
    """
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Threads that spin after their work would take the cores from other work and processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Memory patterns keep a plan for every size beside the memory of the first run, which doubles the peak.
    # Memory reuse keeps a map until a later map that reuses it is freed too, which adds half of the peak.
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    try:
        session = runtime.InferenceSession(
            str(path), options, providers=choose_providers(runtime, path, device)
        )
    except Exception as error:  # ONNX Runtime's errors share no base class
        if is_out_of_memory(error):
            raise
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} cannot be opened as an ONNX file ({reason}): export it again") from error
    return session


def choose_providers(runtime: Any, path: Path, device: torch.device) -> list[Any]:
    """Return the providers for a device, preferred first; TensorRT caches its engines beside the file."""
    if device.type != "cuda":
        return ["CPUExecutionProvider"]
    # TensorRT must know whether it may compute in half precision before it reads the file.
    metadata = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_modelmeta()
    index = {"device_id": device.index or 0}
    tensorrt = {
        "trt_fp16_enable": metadata.custom_metadata_map.get("precision") == "fp16",
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(path.parent),
    }
    choices = [("TensorrtExecutionProvider", {**index, **tensorrt}), ("CUDAExecutionProvider", index)]
    available = runtime.get_available_providers()
    return [choice for choice in choices if choice[0] in available] + ["CPUExecutionProvider"]
