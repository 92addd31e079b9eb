"""The network in PyTorch, its BatchNorms folded into the convolutions before them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.models import PSFusion, PSFusionLite
from psfusion_core.models.resnet import BasicBlock, FReLU

FOLLOWED_BY_NORM: dict[type[nn.Module], tuple[tuple[str, str], ...]] = {
    BasicBlock: (("conv1", "bn1"), ("conv2", "bn2")),
    FReLU: (("funnel", "norm"),),
}
"""Convolution and BatchNorm by attribute name, in modules that are not a Sequential."""

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def resolve_device(device: str) -> torch.device:
    """Turn ``auto`` into the GPU where there is one, else the CPU.

    Raises:
        ValueError: the device does not exist here.
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


def fold_batch_norms(module: nn.Module) -> None:
    """Replace each BatchNorm that directly follows a convolution by a change of that convolution, in place.

    Exact in evaluation mode: the BatchNorm is a fixed scale and shift of each channel.
    """
    for child in module.children():
        fold_batch_norms(child)
    for conv_name, norm_name in FOLLOWED_BY_NORM.get(type(module), ()):
        fold(module, conv_name, norm_name)
    if isinstance(module, nn.Sequential):
        last_conv = None
        for name, layer in list(module.named_children()):
            if isinstance(layer, nn.BatchNorm2d) and last_conv is not None:
                fold(module, last_conv, name)
            else:
                last_conv = name if isinstance(layer, nn.Conv2d) else None


def fold(module: nn.Module, conv_name: str, norm_name: str) -> None:
    """Fold one named BatchNorm of a module into one named convolution; an identity takes its place."""
    folded = fuse_conv_bn_eval(getattr(module, conv_name), getattr(module, norm_name))
    setattr(module, conv_name, folded)
    setattr(module, norm_name, nn.Identity())


class TorchEngine:
    """PyTorch engine, for the CPU and CUDA.

    Args:
        model: the network; it is copied and left as it is.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (fp16 on a GPU, fp32 on the CPU), ``fp32``, ``fp16`` or ``bf16``.

    Raises:
        ValueError: unknown precision, or a device that is not there.
    """

    def __init__(self, model: PSFusion | PSFusionLite, device: str = "auto", precision: str = "auto") -> None:
        self.device = resolve_device(device)
        if precision == "auto":
            precision = "fp16" if self.device.type == "cuda" else "fp32"
        if precision not in PRECISIONS:
            raise ValueError(f"unknown precision {precision!r}: choose auto, {', '.join(PRECISIONS)}")
        self.dtype = PRECISIONS[precision]
        self.network = copy.deepcopy(model).eval().requires_grad_(False)
        fold_batch_norms(self.network)
        self.network.to(self.device, self.dtype)
        self.description = f"torch {precision} on {self._device_name()}"

    def _device_name(self) -> str:
        if self.device.type == "cuda":
            return f"{self.device} ({torch.cuda.get_device_name(self.device)})"
        return f"{self.device} ({torch.get_num_threads()} threads)"

    @torch.inference_mode()
    def __call__(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        with flushed_denormals():
            fused, semantic = self.network.fuse_and_segment(visible.to(self.dtype), infrared.to(self.dtype))
        return fused.float(), semantic.float()
