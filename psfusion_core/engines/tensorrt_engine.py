"""The engine that runs a network in TensorRT."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from psfusion_core.base.atomic_file import replacing
from psfusion_core.engines.onnx_cache import find_file
from psfusion_core.engines.onnx_header import (
    INPUTS,
    OUTPUTS,
    check_precision,
    check_shapes,
    read_header,
)
from psfusion_core.engines.torch_engine import CAPTURED_SIZES, name_device, resolve_device
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

PRECISIONS = ("fp32", "fp16")
OLDEST = 10
"""First major version of TensorRT that keeps the types of the ONNX file."""

INSTALL = (
    "engine tensorrt needs TensorRT 10 or newer: on Jetson it comes with JetPack 6.1 or newer "
    "(apt install python3-libnvinfer), elsewhere pip install tensorrt"
)

logger = logging.getLogger(__name__)


class TensorRTEngine:
    """TensorRT engine, for CUDA; batches of one. It has not been run, because no GPU was available.

    The first call with an image size builds an engine from the ONNX file, which takes minutes. The engine is
    kept beside the file, if the folder is writable, under a name with the digest of the file, the size, the
    version of TensorRT and the GPU.

    Args:
        source: A network, which is exported to the cache, or an ONNX file that `psfusion export` wrote.
        device: ``auto``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (the precision of a file; fp16 for a network), ``fp32`` or ``fp16``.

    Attributes:
        size: Height and width of a file with a fixed size, else None.
        metadata: Model, classes and precision in the file.

    Raises:
        ImportError: TensorRT is missing or too old; the message says what to install.
        ValueError: The device is not a GPU, the engine or the file does not have the precision, or the file
            is not a fusion network.
    """

    def __init__(
        self, source: PSFusion | PSFusionLite | Path, device: str = "auto", precision: str = "auto"
    ) -> None:
        self.device = resolve_device(device)
        if self.device.type != "cuda":
            raise ValueError(
                f"engine tensorrt needs an NVIDIA GPU, not {self.device}: choose engine auto, or device cuda"
            )
        self._tensorrt = import_tensorrt()
        self._file, precision = find_file(source, precision, self.device, PRECISIONS, "tensorrt")
        header = read_header(self._file)
        check_precision(self._file, header.precision, precision)
        self.metadata, self.size = header.metadata, header.size
        self.description = f"tensorrt {header.precision} on {name_device(self.device)}"
        self._logger = self._tensorrt.Logger(self._tensorrt.Logger.WARNING)
        self._digest = hashlib.sha256(self._file.read_bytes()).hexdigest()[:12]
        self._stream = torch.cuda.Stream(self.device)
        self._contexts: dict[tuple[int, int], tuple[Any, Any]] = {}

    @torch.inference_mode()
    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        check_shapes(visible, self.size)
        with torch.cuda.device(self.device):  # TensorRT builds and runs on the current device
            return self._run(visible, infrared)

    def release(self) -> None:
        """Free the engines and execution contexts of all sizes; they are loaded from their files again."""
        self._stream.synchronize()  # nothing that still runs may be freed
        self._contexts.clear()

    def _run(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        height, width = visible.shape[-2:]
        engine, context = self._prepared(height, width)
        images = visible.contiguous(), infrared.contiguous()
        classes = engine.get_tensor_shape(OUTPUTS[1])[1]
        results = [torch.empty(1, count, height, width, device=self.device) for count in (1, classes)]
        for name, tensor in zip((*INPUTS, *OUTPUTS), (*images, *results), strict=True):
            context.set_tensor_address(name, tensor.data_ptr())
            tensor.record_stream(self._stream)
        # TensorRT would synchronise after every call on the default stream.
        current = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(current)
        if not context.execute_async_v3(self._stream.cuda_stream):
            raise RuntimeError(f"TensorRT could not run {self._file}: its own message stands above")
        current.wait_stream(self._stream)
        return results[0], results[1]

    def _prepared(self, height: int, width: int) -> tuple[Any, Any]:
        """Return engine and execution context of a size; those of the latest sizes are kept."""
        size = height, width
        if size not in self._contexts:
            if len(self._contexts) == CAPTURED_SIZES:
                self._stream.synchronize()  # a freed engine must not run
                self._contexts.pop(next(iter(self._contexts)))
            engine = self._load(height, width)
            context = engine.create_execution_context()
            if context is None:
                raise RuntimeError(f"TensorRT has no memory to run {self._file}: see its message above")
            for name, channels in zip(INPUTS, (3, 1), strict=True):
                context.set_input_shape(name, (1, channels, height, width))
            self._contexts[size] = engine, context
        return self._contexts[size]

    def _load(self, height: int, width: int) -> Any:
        """Load the engine of a size from beside the ONNX file; build it if that fails."""
        gpu = torch.cuda.get_device_name(self.device)
        path = engine_file(self._file, self._digest, (height, width), self._tensorrt.__version__, gpu)
        runtime = self._tensorrt.Runtime(self._logger)
        if path.exists():
            engine = runtime.deserialize_cuda_engine(path.read_bytes())
            if engine is not None:
                return engine
        logger.warning("building %s: this takes minutes, once", path)
        serialised = build(self._tensorrt, self._logger, self._file, height, width)
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(serialised)
        except OSError as error:
            logger.warning("%s cannot be written (%s): it is built again next time", path, error)
        engine = runtime.deserialize_cuda_engine(serialised)
        if engine is None:
            raise RuntimeError(f"TensorRT cannot load what it built of {self._file}: see its message above")
        return engine


def import_tensorrt() -> Any:
    """Import TensorRT.

    Raises:
        ImportError: It is not installed or too old; the message says what to install.
    """
    try:
        import tensorrt
    except ImportError as error:
        raise ImportError(INSTALL) from error
    if int(tensorrt.__version__.split(".")[0]) < OLDEST:
        raise ImportError(f"{INSTALL}; this is {tensorrt.__version__}")
    return tensorrt


def engine_file(file: Path, digest: str, size: tuple[int, int], version: str, gpu: str) -> Path:
    """Return the path of an engine; engines run only on the GPU and the version that built them."""
    words = re.sub(r"[^A-Za-z0-9.]+", "_", f"{size[0]}x{size[1]} tensorrt {version} {gpu}")
    return file.with_name(f"{file.stem}-{digest}-{words}.engine")


def build(tensorrt: Any, log: Any, file: Path, height: int, width: int) -> bytes:
    """Build the engine of one size, in the precision of the file.

    Raises:
        ValueError: TensorRT cannot read the file.
        RuntimeError: TensorRT cannot build the engine.
    """
    builder = tensorrt.Builder(log)
    # Keep the types of the file; version 11 always does and ignores the flag.
    network = builder.create_network(1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = tensorrt.OnnxParser(network, log)
    if not parser.parse_from_file(str(file)):
        reason = parser.get_error(0).desc() if parser.num_errors else "no reason given"
        raise ValueError(f"TensorRT cannot read {file} ({reason}): choose engine torch")
    config = builder.create_builder_config()
    config.clear_flag(tensorrt.BuilderFlag.TF32)  # fp32 means fp32
    profile = builder.create_optimization_profile()
    for name, channels in zip(INPUTS, (3, 1), strict=True):
        shape = 1, channels, height, width
        profile.set_shape(name, shape, shape, shape)
    config.add_optimization_profile(profile)
    serialised = builder.build_serialized_network(network, config)
    if serialised is None:
        raise RuntimeError(f"TensorRT could not build {file} for {height} x {width}: see its message above")
    return bytes(serialised)
