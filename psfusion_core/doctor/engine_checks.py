"""Checks of what runs the network: PyTorch and its GPU, ONNX Runtime, TensorRT, and the weights."""

from __future__ import annotations

import ctypes
import time
from importlib.util import find_spec
from typing import Any

from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.doctor.child import ChildError, ask_child

OLDEST_TORCH = (2, 6)
GET_TORCH = "https://pytorch.org/get-started/locally has the command; on Jetson use NVIDIA's build"
GET_ONNX = "pip install '.[onnx]'"
NETWORK_MODULES = ("torch", "kornia", "safetensors")
"""Modules that loading a network needs."""
CUDA_PROVIDERS = ("CUDAExecutionProvider", "TensorrtExecutionProvider")


def driver_cuda() -> int:
    """Return the newest CUDA that the driver supports, as 1000 * major + 10 * minor; 0 without a driver."""
    answer = ctypes.c_int(0)
    try:
        status = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(answer))
    except (OSError, AttributeError):
        return 0
    return answer.value if status == 0 else 0


def torch_facts() -> dict[str, Any]:
    """Import PyTorch and list its GPUs; runs in a child process."""
    import torch

    available = torch.cuda.is_available()
    devices = range(torch.cuda.device_count()) if available else ()
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "driver": driver_cuda(),
        "available": available,
        "devices": [torch.cuda.get_device_name(n) for n in devices],
        "capabilities": [torch.cuda.get_device_capability(n) for n in devices],
        "architectures": torch.cuda.get_arch_list() if available else [],
    }


def check_torch(_: Subject) -> Finding:
    """Check that PyTorch loads, is new enough, and can use the GPU of this machine."""
    if find_spec("torch") is None:
        return Finding("error", "PyTorch is not installed", GET_TORCH)
    try:
        return judge_torch(ask_child(torch_facts))
    except ChildError as error:
        return Finding("error", f"PyTorch does not load: {error}", f"install it again: {GET_TORCH}")


def judge_torch(facts: dict[str, Any]) -> Finding:
    name, driver = f"PyTorch {facts['version']}", facts["driver"]
    if _version(facts["version"]) < OLDEST_TORCH:
        return Finding("error", f"{name}: expected 2.6 or newer, for safe loading of weights", GET_TORCH)
    known = f"{driver // 1000}.{driver % 1000 // 10}"
    if facts["cuda"] is None:
        if driver:
            return Finding(
                "warning", f"{name} is built without CUDA, but there is an NVIDIA driver (CUDA {known})",
                f"install a build for CUDA {known} or older: {GET_TORCH}",
            )  # fmt: skip
        return Finding("ok", f"{name} for the CPU; there is no NVIDIA driver")
    name += f" for CUDA {facts['cuda']}"
    if not driver:
        return Finding("ok", f"{name}; there is no NVIDIA driver: the CPU is used")
    if _version(facts["cuda"])[0] > driver // 1000:
        return Finding(
            "error", f"{name}, but the driver supports CUDA up to {known}",
            f"update the NVIDIA driver, or install a build for CUDA {known} or older: {GET_TORCH}",
        )  # fmt: skip
    if not facts["available"]:
        return Finding(
            "error", f"{name} finds no GPU, but there is a driver (CUDA {known})",
            "check nvidia-smi, CUDA_VISIBLE_DEVICES and, in a container, --gpus or --runtime nvidia",
        )  # fmt: skip
    for device, capability in zip(facts["devices"], facts["capabilities"], strict=True):
        if not serves(facts["architectures"], tuple(capability)):
            built = ", ".join(facts["architectures"])
            return Finding(
                "error",
                f"{name} has no kernels for {device} (sm_{capability[0]}{capability[1]}), only for {built}",
                f"install a build for this GPU: {GET_TORCH}",
            )
    return Finding("ok", f"{name} on {', '.join(facts['devices'])}; the driver supports CUDA {known}")


def serves(architectures: list[str], capability: tuple[int, int]) -> bool:
    """Return whether a build of PyTorch runs on a GPU.

    Args:
        architectures: The architectures of the build, such as sm_80 (binary code: runs on 8.0 and later 8.x)
            or compute_80 (compiled at load time: runs on 8.0 and everything later).
        capability: The compute capability of the GPU, major and minor.
    """
    for architecture in architectures:
        kind, _, digits = architecture.rpartition("_")
        digits = digits.rstrip("af")
        built = int(digits[:-1]), int(digits[-1])
        if built <= capability and (kind == "compute" or built[0] == capability[0]):
            return True
    return False


def onnxruntime_facts() -> dict[str, Any]:
    """Import ONNX Runtime and list its execution providers; runs in a child process."""
    import onnxruntime

    return {
        "version": onnxruntime.__version__,
        "providers": onnxruntime.get_available_providers(),
        "driver": driver_cuda(),
    }


def check_onnxruntime(_: Subject) -> Finding:
    """Check that ONNX Runtime loads, and that it can use the GPU if there is one."""
    if find_spec("onnxruntime") is None:
        return Finding("ok", f"not installed; it is optional, and the faster engine on a CPU: {GET_ONNX}")
    try:
        facts = ask_child(onnxruntime_facts)
    except ChildError as error:
        return Finding("error", f"ONNX Runtime does not load: {error}", "install onnxruntime again")
    found = f"ONNX Runtime {facts['version']}: {', '.join(facts['providers'])}"
    missing = [module for module in ("onnx", "onnxscript") if find_spec(module) is None]
    if missing:
        return Finding("warning", f"{found}; exporting to it needs {' and '.join(missing)}", GET_ONNX)
    if facts["driver"] and not set(CUDA_PROVIDERS) & set(facts["providers"]):
        fix = "pip uninstall onnxruntime, then pip install onnxruntime-gpu"
        return Finding("warning", f"{found}; it cannot use the GPU of this machine", fix)
    return Finding("ok", found)


def tensorrt_facts() -> dict[str, Any]:
    """Import TensorRT as its engine does; runs in a child process."""
    from psfusion_core.engines.tensorrt_engine import import_tensorrt

    return {"version": import_tensorrt().__version__}


def check_tensorrt(_: Subject) -> Finding:
    """Check that TensorRT loads, in a version that the engine supports."""
    if find_spec("tensorrt") is None:
        return Finding("ok", "not installed; it is optional")
    try:
        return Finding("ok", f"TensorRT {ask_child(tensorrt_facts)['version']}")
    except ChildError as error:
        return Finding(
            "warning", f"engine tensorrt cannot be used: {error}", "choose another engine, or install it"
        )


def network_facts(model: str, weights: str) -> dict[str, Any]:
    """Load a network and fuse one small pair; runs in a child process."""
    import numpy as np

    from psfusion_core.fusion.fuser import Fuser

    engine = "auto" if weights.endswith(".onnx") else "torch"
    fuser = Fuser(model, weights, engine=engine)
    visible = np.full((64, 64, 3), 128, np.uint8)
    begin = time.perf_counter()
    fuser(visible, visible[..., 0])
    return {"description": fuser.description, "seconds": time.perf_counter() - begin}


def check_network(subject: Subject) -> Finding:
    """Check that the weights exist and fit the network, by fusing a small pair."""
    if any(find_spec(module) is None for module in NETWORK_MODULES):
        return Finding("skipped", "needs PyTorch, kornia and safetensors")
    try:
        facts = ask_child(network_facts, subject.model, subject.weights)
    except ChildError as error:
        found = f"{subject.model} with weights {subject.weights} does not fuse: {error}"
        fix = "give --weights a checkpoint of that network, or install the package again"
        return Finding("error", found, fix)
    return Finding("ok", f"{facts['description']}: 64 x 64 fused in {facts['seconds'] * 1e3:.0f} ms")


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)
