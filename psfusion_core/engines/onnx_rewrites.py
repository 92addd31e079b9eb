"""Exact rewrites of network parts for ONNX export: the same results with fewer and smaller buffers.

ONNX Runtime stores the whole attention map, and stores concatenated maps beside their parts. It keeps maps in
blocks of channels, and converts them for operators that do not support the blocks (Split, Max).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.engines.onnx_row_packing import PackedPSFusionLite, conv_with
from psfusion_core.models.attention import BlockedCrossAttention, CrossAttention
from psfusion_core.models.psfusion import DSRM, SDFM, SIM, PSFusion
from psfusion_core.models.psfusion_lite import DenseSceneReconstruction, PSFusionLite, ShallowDetailFusion
from psfusion_core.models.resnet import FReLU

ATTENTION_BLOCKS = {"psfusion": {"psfm4": 16, "psfm5": 4}, "psfusion_lite": {"psfm5": 4}}
"""Number of blocks of attention rows by network and part; it divides the positions of the level."""


class SummedConvolution(nn.Module):
    """A convolution over concatenated maps as a sum of convolutions over each map, then the other layers."""

    def __init__(self, layer: Any, count: int) -> None:
        super().__init__()
        conv, *rest = layer
        weights = conv.weight.chunk(count, dim=1)
        self.parts = nn.ModuleList(
            conv_with(conv, weight, conv.bias if part == 0 else None) for part, weight in enumerate(weights)
        )
        self.rest = nn.Sequential(*rest)

    def forward(self, *maps: Tensor) -> Tensor:
        first, *others = (part(x) for part, x in zip(self.parts, maps, strict=True))
        return self.rest(sum(others, first))


class SummedReconstruction(nn.Module):
    """DSRM of either network: densely connected layers of :class:`SummedConvolution`."""

    def __init__(self, module: DSRM | DenseSceneReconstruction) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SummedConvolution(layer, count) for count, layer in enumerate(module.layers, start=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(*features))
        return features[-1]


class SeparateFusion(nn.Module):
    """SDFM of either network without concatenation of the two modalities, for batches of one.

    The factors that recalibrate the channels multiply the weights that aggregate them. For one image these
    weights are a small matrix, so the aggregation does not need the recalibrated maps.

    Args:
        module: The SDFM.
        visible_detail, infrared_detail: The first layers of each modality.
        combine: The function of local and global weight whose sigmoid is the weight.
    """

    def __init__(
        self,
        module: SDFM | ShallowDetailFusion,
        visible_detail: nn.Module,
        infrared_detail: nn.Module,
        combine: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.visible_detail, self.infrared_detail, self.combine = visible_detail, infrared_detail, combine
        self.pool, *layers = layers_of(module.recalibrate)
        self.recalibrate = nn.Sequential(*layers)
        self.aggregate: Any = module.aggregate[0]
        self.local_weight, self.global_weight = module.local_weight, module.global_weight

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        visible, infrared = self.visible_detail(visible), self.infrared_detail(infrared)
        factors = 1.0 + self.recalibrate(torch.cat([self.pool(visible), self.pool(infrared)], dim=1))
        visible_weight, infrared_weight = (self.aggregate.weight * factors).chunk(2, dim=1)
        aggregate = F.conv2d(visible, visible_weight, self.aggregate.bias)
        aggregate = torch.relu(aggregate + F.conv2d(infrared, infrared_weight))
        # No batch axis: ONNX Runtime is four times slower at adding (1, C, 1, 1) to blocks of channels.
        global_weight = self.global_weight(aggregate).squeeze(0)
        weight = torch.sigmoid(self.combine(self.local_weight(aggregate), global_weight))
        # The zero term makes ONNX Runtime recalibrate the maps after the aggregation. Otherwise it would keep
        # both versions of them at the peak of memory.
        visible_factor, infrared_factor = (factors + 0.0 * global_weight[:1]).chunk(2, dim=1)
        visible, infrared = visible * visible_factor, infrared * infrared_factor
        return infrared + weight * (visible - infrared)


def layers_of(module: nn.Module) -> Sequence[nn.Module]:
    """The layers of nested Sequentials, in order."""
    if not isinstance(module, nn.Sequential):
        return [module]
    return [layer for child in module for layer in layers_of(child)]


class ShiftedFunnel(nn.Module):
    """FReLU as max(x, f(x)) = x + relu(f(x) - x), the subtraction folded into the convolution f."""

    def __init__(self, module: FReLU) -> None:
        super().__init__()
        self.difference = copy.deepcopy(module.funnel)
        self.difference.weight.data[:, :, 1, 1] -= 1.0

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.difference(x))


class FoldedInjection(nn.Module):
    """SIM with its BatchNorm folded into the scale of the instance norm and the bias of the shift.

    Args:
        module: The SIM.
        factor: Size of x divided by the size of the guide; a constant factor is resized faster.
    """

    scale: Tensor
    no_shift: Tensor

    def __init__(self, module: SIM, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.shared, self.gamma = module.shared, module.gamma
        norm: Any = module.norm
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        self.register_buffer("scale", scale)
        self.register_buffer("no_shift", torch.zeros_like(scale))
        beta: Any = copy.deepcopy(module.beta)
        beta.bias.data += norm.bias - norm.running_mean * scale
        self.beta = beta

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        # The zero term makes ONNX Runtime compute x before the large maps of the guide. Otherwise it would
        # keep these maps at the peak of memory. Pooling single pixels converts the sum back to blocks of
        # channels, which are enlarged several times as fast.
        guide = F.max_pool2d(guide + 0.0 * x[:, :1, :1, :1], 1)
        if self.factor > 1:
            guide = F.interpolate(guide, scale_factor=self.factor, mode="bilinear", align_corners=False)
        shared = F.relu(self.shared(guide))
        x = F.instance_norm(x, weight=self.scale, bias=self.no_shift)
        return self.beta(shared) + (x + x * torch.sigmoid(self.gamma(shared)))


REWRITES: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    DSRM: SummedReconstruction,
    DenseSceneReconstruction: SummedReconstruction,
    SDFM: lambda part: SeparateFusion(part, part.visible_detail, part.infrared_detail, torch.mul),
    ShallowDetailFusion: lambda part: SeparateFusion(part, nn.Identity(), nn.Identity(), torch.add),
    FReLU: ShiftedFunnel,
}


def rewrite(network: PSFusion | PSFusionLite) -> PSFusion | PSFusionLite:
    """Replace the parts of a network by their rewrites, and return it, for batches of one.

    The BatchNorms of the network must be folded. Only `fuse_and_segment` of the result can be called.
    """
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) in REWRITES:
                setattr(module, name, REWRITES[type(child)](child))
    if isinstance(network, PSFusion):
        for name, factor in (("sim1", 2), ("sim2", 2), ("sim3", 4)):
            setattr(network, name, FoldedInjection(getattr(network, name), factor))
    name = "psfusion" if isinstance(network, PSFusion) else "psfusion_lite"
    for part_name, part in network.named_children():
        attention = getattr(part, "attention", None)
        if isinstance(attention, CrossAttention):
            blocks = ATTENTION_BLOCKS[name].get(part_name, 1)
            part.attention = BlockedCrossAttention(attention.scale, blocks)
    return PackedPSFusionLite(network) if isinstance(network, PSFusionLite) else network
