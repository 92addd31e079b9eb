"""Cross attention between feature maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Position i becomes sum_j softmax_j(scale key[i] . query[j]) value[j]; all (B, C, h, w).

    The rows of PSFusion's attention map belong to the key, so key and query are swapped in PyTorch's call.
    The map of h * w times h * w values is never stored.

    Args:
        scale: Scale of the products; None for 1 / sqrt(C).
    """

    def __init__(self, scale: float | None = None) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        # (B, 1 head, h * w, C). If not contiguous, PyTorch uses the kernel that stores the whole map.
        k, q, v = (x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous() for x in (key, query, value))
        attended = F.scaled_dot_product_attention(k, q, v, scale=self.scale)
        return attended.squeeze(1).transpose(1, 2).reshape(value.shape)


class BlockedCrossAttention(nn.Module):
    """Cross attention in blocks of rows, for runtimes that store the map: only one block exists at a time.

    Args:
        scale: Scale of the products; None for 1 / sqrt(C).
        blocks: Number of blocks, which divides h * w.
    """

    def __init__(self, scale: float | None, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        self.blocks = blocks

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        batch, channels, height, width = value.shape
        scale = channels**-0.5 if self.scale is None else self.scale
        rows = (key * scale).flatten(2).transpose(1, 2).reshape(batch, self.blocks, -1, channels)
        columns, values = query.flatten(2), value.flatten(2).transpose(1, 2)
        attended = [torch.softmax(block @ columns, dim=-1) @ values for block in rows.unbind(dim=1)]
        return torch.cat(attended, dim=1).transpose(1, 2).reshape(batch, channels, height, width)
