"""The network at run time: a copy with folded BatchNorms and only the outputs of run time."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite
from psfusion_core.models.resnet import BasicBlock, FReLU

FOLLOWED_BY_NORM: dict[type[nn.Module], tuple[tuple[str, str], ...]] = {
    BasicBlock: (("conv1", "bn1"), ("conv2", "bn2")),
    FReLU: (("funnel", "norm"),),
}
"""Attribute names of convolution and BatchNorm in modules that are not a Sequential."""

TRAINING_ONLY = ("visible_head", "infrared_head")
"""Heads whose outputs are not used at run time."""


class RuntimeNetwork(nn.Module):
    """Visible (B, 3, H, W), infrared (B, 1, H, W) -> fused luma (B, 1, H, W), logits (B, n, H, W), float32.

    Args:
        network: The network; it is copied.
    """

    def __init__(self, network: PSFusion | PSFusionLite) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        for name in TRAINING_ONLY:
            delattr(self.network, name)
        fold_batch_norms(self.network)

    def forward(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        dtype = next(self.network.parameters()).dtype
        fused, semantic = self.network.fuse_and_segment(visible.to(dtype), infrared.to(dtype))
        return fused.float(), semantic.float()


def fold_batch_norms(module: nn.Module) -> None:
    """Fold each BatchNorm that directly follows a convolution into that convolution, in place.

    This is exact in evaluation mode, in which BatchNorm is a fixed scale and shift of each channel.
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
    """Fold a BatchNorm of a module into a convolution, both by name, and replace it by an identity."""
    folded = fuse_conv_bn_eval(getattr(module, conv_name), getattr(module, norm_name))
    setattr(module, conv_name, folded)
    setattr(module, norm_name, nn.Identity())
