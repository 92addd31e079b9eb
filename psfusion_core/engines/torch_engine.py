"""The engine that runs a network in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.engines.runtime_network import RuntimeNetwork
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

CAPTURED_SIZES = 4
"""Number of sizes whose CUDA graph is kept; each graph holds the memory of all its maps."""

Network = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def resolve_device(device: str) -> torch.device:
    """Return the device of a name; ``auto`` is the GPU if there is one, else the CPU.

    Raises:
        ValueError: The device does not exist.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used ({reason}): try 'auto' or 'cpu'") from error
    return resolved


def resolve_precision(precision: str, device: torch.device) -> str:
    """Return the name of a precision; ``auto`` is fp16 on a GPU and fp32 on the CPU.

    Raises:
        ValueError: The precision is unknown.
    """
    if precision == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}: choose auto, {', '.join(PRECISIONS)}")
    return precision


def name_device(device: torch.device) -> str:
    """Describe a device, with the model of a GPU or the number of threads on the CPU."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({torch.get_num_threads()} threads)"


class TorchEngine:
    """PyTorch engine, for the CPU and CUDA.

    On CUDA the maps are channels-last, as tensor cores need, and each size is captured once as a CUDA graph
    with its own buffers. This has not been run.

    Args:
        model: The network; it is copied.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (fp16 on a GPU, fp32 on the CPU), ``fp32``, ``fp16`` or ``bf16``.
        compiled: Compile the network with ``torch.compile``. The first call with a new size compiles it,
            which takes a minute or more, and on the CPU needs a C++ compiler.

    Raises:
        ValueError: The precision is unknown, or the device does not exist.
    """

    size: tuple[int, int] | None = None

    def __init__(
        self,
        model: PSFusion | PSFusionLite,
        device: str = "auto",
        precision: str = "auto",
        compiled: bool = False,
    ) -> None:
        self.device = resolve_device(device)
        precision = resolve_precision(precision, self.device)
        network = RuntimeNetwork(model).to(self.device, PRECISIONS[precision])
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network
        runs: Network = torch.compile(network, dynamic=False) if compiled else network
        self._run = CapturedNetwork(runs) if on_gpu else runs
        name = "torch-compile" if compiled else "torch"
        self.description = f"{name} {precision} on {name_device(self.device)}"

    @torch.inference_mode()
    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        with flushed_denormals():
            return self._run(visible, infrared)

    def release(self) -> None:
        """Free the CUDA graphs of all sizes, each of which holds the memory of its maps."""
        if isinstance(self._run, CapturedNetwork):
            self._run.release()


class CapturedNetwork:
    """A network replayed as one CUDA graph for each input size; the outputs are copies.

    Args:
        network: The network, on a CUDA device.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, list[Tensor], tuple[Tensor, Tensor]]] = {}

    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        if visible.shape not in self._graphs:
            if len(self._graphs) == CAPTURED_SIZES:
                self._graphs.pop(next(iter(self._graphs)))
            self._graphs[visible.shape] = self._capture(visible, infrared)
        graph, inputs, (fused, semantic) = self._graphs[visible.shape]
        for buffer, image in zip(inputs, (visible, infrared), strict=True):
            buffer.copy_(image)
        graph.replay()
        return fused.clone(), semantic.clone()

    def release(self) -> None:
        """Free the graphs of all sizes."""
        self._graphs.clear()

    def _capture(self, *images: Tensor) -> tuple[torch.cuda.CUDAGraph, list[Tensor], tuple[Tensor, Tensor]]:
        inputs = [image.clone(memory_format=torch.channels_last) for image in images]
        # The first calls must not be captured, because libraries choose kernels and workspaces in them.
        stream = torch.cuda.Stream(inputs[0].device)
        stream.wait_stream(torch.cuda.current_stream(inputs[0].device))
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._network(*inputs)
        torch.cuda.current_stream(inputs[0].device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(inputs[0].device), torch.cuda.graph(graph):
            outputs = self._network(*inputs)
        return graph, inputs, outputs
