"""The network in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from psfusion_core.engines.denormals import flushed_denormals
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
"""Precisions that pay, by type of device."""


class OnnxRuntimeEngine:
    """ONNX Runtime engine, for the CPU and CUDA; batches of one.

    On CUDA, ONNX Runtime hands what it can to TensorRT where it has that provider, the rest to CUDA; that
    part has not been run.

    Args:
        source: a network, which is exported into the cache (tens of seconds, once for its weights), or an
            ONNX file that `psfusion export` wrote.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (that of the file; of a network fp16 on a GPU, fp32 on the CPU), ``fp32``, or on
            CUDA ``fp16``.

    Attributes:
        size: height and width of a file of fixed size, else None.
        metadata: what the file says of itself.

    Raises:
        ImportError: ONNX Runtime is missing or has no part for the device; the message says what to install.
        ValueError: a precision that this engine or the file does not have, a device that is not there, or a
            file that is not such a network.
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
        # ONNX Runtime leaves the thread that opens or runs a session with denormals flushed.
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

    def _run_on_gpu(self, *images: Tensor) -> tuple[Tensor, Tensor]:
        """Run on tensors where they lie; ONNX Runtime works on a stream of its own."""
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
        ImportError: it is not installed, or is the build without CUDA where that is asked for.
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
        ValueError: not an ONNX file.
    """
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Threads that spin after their work take the cores from what follows, and from other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A plan of the memory is kept for every size, beside what the first run took: twice the peak. And a map
    # that waits to be reused by a later one is not freed until that is done with too: half as much again.
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    try:
        session = runtime.InferenceSession(
            str(path), options, providers=choose_providers(runtime, path, device)
        )
    except Exception as error:  # ONNX Runtime's errors share no base class
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} cannot be opened as an ONNX file ({reason}): export it anew") from error
    return session


def choose_providers(runtime: Any, path: Path, device: torch.device) -> list[Any]:
    """Providers for a device, the preferred one first; TensorRT's engines are kept beside the file."""
    if device.type != "cuda":
        return ["CPUExecutionProvider"]
    # TensorRT has to be told before it reads the file whether it may compute in half precision.
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
