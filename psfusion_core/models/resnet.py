"""The encoder of one modality in PSFusion: shallow feature extraction blocks, then the stages of ResNet-34.

ResNet: He et al., "Deep residual learning for image recognition", CVPR 2016. FReLU: Ma et al., "Funnel
activation for visual recognition", ECCV 2020.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.downsample(x))


def residual_stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    """`blocks` basic blocks: (B, inputs, H, W) -> (B, outputs, H / stride, W / stride)."""
    first = BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs) for _ in range(blocks - 1)))


class FReLU(nn.Module):
    """Funnel activation max(x, T(x)) with T a depthwise 3x3 convolution and BatchNorm; keeps the shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.funnel = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.maximum(x, self.norm(self.funnel(x)))


class ResNetEncoder(nn.Module):
    """Features of one modality: shallow feature extraction blocks, then the stages of ResNet-34.

    (B, inputs, H, W) -> six levels: 32 @ 1/1, 64 @ 1/2, 64 @ 1/4, 128 @ 1/8, 256 @ 1/16, 512 @ 1/32.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.shallow1 = nn.Sequential(
            nn.Conv2d(inputs, 32, 7, padding=3), nn.BatchNorm2d(32), FReLU(32),
            nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), FReLU(32),
        )  # fmt: skip
        self.shallow2 = nn.Sequential(
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.BatchNorm2d(64),
            FReLU(64),
            nn.Conv2d(64, 64, 3, padding=1),
        )
        self.norm = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage3 = residual_stage(64, 64, blocks=3, stride=1)
        self.stage4 = residual_stage(64, 128, blocks=4, stride=2)
        self.stage5 = residual_stage(128, 256, blocks=6, stride=2)
        self.stage6 = residual_stage(256, 512, blocks=3, stride=2)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        level1 = self.shallow1(image)
        level2 = F.relu(self.norm(self.shallow2(level1)))
        level3 = self.stage3(self.pool(level2))
        level4 = self.stage4(level3)
        level5 = self.stage5(level4)
        level6 = self.stage6(level5)
        return level1, level2, level3, level4, level5, level6
