"""PSFusion-lite for ONNX export: pairs of rows of its last full-size maps are packed into channels.

On CPUs with AVX-512, ONNX Runtime computes convolutions in blocks of 16 channels, and maps with 8 channels
fill only half of a block. Packed into 16 channels of half the height (channel c of row i becomes channel
2 c + i), the maps fill the blocks. The results are the same.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.models.luma import luma
from psfusion_core.models.psfusion_lite import PSFusionLite, enlarge, standardise

ROWS = 2


def conv_with(conv: Any, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """Copy a convolution with another weight (outputs, inputs, rows, columns) and bias."""
    part: Any = copy.copy(conv)
    part._parameters = {"weight": nn.Parameter(weight.contiguous(), requires_grad=False), "bias": bias}
    part.out_channels, part.in_channels, *part.kernel_size = weight.shape
    return part


def packing(conv: Any, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """Make a 4 x 3 convolution from full-size maps to packed rows, which equals a 3 x 3 one on two rows."""
    both = torch.stack([F.pad(weight, (0, 0, row, 1 - row)) for row in range(ROWS)], dim=1)
    part = conv_with(conv, both.flatten(0, 1), None if bias is None else for_rows(bias))
    part.stride = (ROWS, 1)
    return part


def for_rows(bias: Tensor) -> nn.Parameter:
    """Repeat a bias for packed rows."""
    return nn.Parameter(bias.repeat_interleave(ROWS), requires_grad=False)


def within_packed(conv: Any) -> nn.Conv2d:
    """Make a convolution from packed rows to packed rows, which equals a 3 x 3 one on full-size maps."""
    outputs, inputs, height, width = conv.weight.shape
    weight = conv.weight.new_zeros(outputs, ROWS, inputs, ROWS, height, width)
    for row in range(ROWS):
        for tap in range(height):
            packed_tap, source_row = divmod(row + tap - 1, ROWS)
            weight[:, row, :, source_row, packed_tap + 1] = conv.weight[:, :, tap]
    return conv_with(conv, weight.flatten(2, 3).flatten(0, 1), for_rows(conv.bias))


def unpack(x: Tensor) -> Tensor:
    """(B, 2 C, H / 2, W) -> (B, C, H, W)."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels // ROWS, ROWS, height, width).transpose(2, 3)
    return x.reshape(batch, channels // ROWS, ROWS * height, width)


class PackedRefinement(nn.Module):
    """`refine_full_size` and the maps of the blend on packed rows: twice (B, 8, H, W) -> (B, 6, H, W)."""

    def __init__(self, refine: Any, maps: nn.Conv2d) -> None:
        super().__init__()
        conv = refine[0]
        detail, scene = conv.weight.chunk(2, dim=1)
        self.detail, self.scene = packing(conv, detail, conv.bias), packing(conv, scene, None)
        self.maps = within_packed(maps)

    def forward(self, detail: Tensor, scene: Tensor) -> Tensor:
        return unpack(self.maps(torch.relu(self.detail(detail) + self.scene(scene))))


class PackedPSFusionLite(PSFusionLite):
    """PSFusion-lite with packed rows; only `fuse_and_segment` can be called.

    Args:
        network: The network, with folded BatchNorms; its parts are reused.
    """

    def __init__(self, network: PSFusionLite) -> None:
        nn.Module.__init__(self)
        for name, part in network.named_children():
            self.add_module(name, part)
        self.refine_and_map = PackedRefinement(self.refine_full_size, self.fused_head.maps)
        del self.refine_full_size
        self.fused_head.maps = nn.Identity()  # type: ignore[assignment]

    def fuse_and_segment(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        v1, v2 = self.visible_details(visible)
        t1, t2 = self.infrared_details(infrared)
        v3, v4, v5, v6 = self.visible_encoder(standardise(F.avg_pool2d(visible, 2)))
        t3, t4, t5, t6 = self.infrared_encoder(standardise(F.avg_pool2d(infrared, 2)))
        fused3, fused4 = self.widen3(self.sdfm3(v3, t3)), self.widen4(self.sdfm4(v4, t4))
        fused5, fused6 = self.psfm5(v5, t5), self.psfm6(v6, t6)
        s = self.sparse_semantic_perception([fused3, fused4, fused5, fused6])
        r = self.inject_semantics(self.inject_level3(self.sdfm2(v2, t2), fused3), s)
        scene = enlarge(self.narrow(self.reconstruct_scene(r)), 2)
        maps = self.refine_and_map(self.sdfm1(v1, t1), scene)
        semantic, _, _ = self.semantic_heads.segment(s)
        return self.fused_head(maps, luma(visible), infrared), enlarge(semantic, 4)
