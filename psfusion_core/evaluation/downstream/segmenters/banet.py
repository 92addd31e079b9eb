"""BANet: a ResNet encoder with a bilateral attention decoder.

Peng, Tian, Chen, Guo, Ma, "Bilateral attention decoder: A lightweight decoder for real-time semantic
segmentation", Neural Networks 137 (2021) 188-199. PSFusion's authors compare with their own reproduction on
ResNet-34. The wiring here follows that reproduction: channel attention on every level, and sigmoid gates from
each level to the next finer one, instead of the paper's spatial attention and pooling fusing block.

    images -> ResNet -> 1/8, 1/16, 1/32 -> each refined by channel attention -> merged pairwise
    refined 1/32 gates merged 1/16, which gates merged 1/8 -> logits at 1/8; refined 1/16 -> auxiliary logits
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.models.resnet import residual_stage

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
"""Basic blocks of the four stages by the depth of the ResNet (He et al., CVPR 2016, table 1)."""
WIDTH = 128
AUXILIARY_WIDTH = 64


class ResNet(nn.Module):
    """(B, 3, H, W) -> 128 channels at 1/8, 256 at 1/16, 512 at 1/32."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        first, second, third, fourth = BLOCKS[depth]
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1), residual_stage(64, 64, first, stride=1),
        )  # fmt: skip
        self.stage8 = residual_stage(64, 128, second, stride=2)
        self.stage16 = residual_stage(128, 256, third, stride=2)
        self.stage32 = residual_stage(256, 512, fourth, stride=2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        level8 = self.stage8(self.stem(images))
        level16 = self.stage16(level8)
        return level8, level16, self.stage32(level16)


def conv_bn(inputs: int, outputs: int, kernel: int, activation: nn.Module) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), activation)


def conv_bn_relu(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return conv_bn(inputs, outputs, kernel, nn.LeakyReLU(inplace=True))


def gate(channels: int) -> nn.Sequential:
    """Weights in [0, 1] for the next finer level."""
    return conv_bn(channels, channels, 1, nn.Sigmoid())


class ChannelAttention(nn.Module):
    """Reduce a level to ``WIDTH`` channels, each weighted by the mean features of the whole image."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.reduce = conv_bn_relu(inputs, WIDTH, 3)
        self.weigh = nn.Sequential(nn.AdaptiveAvgPool2d(1), gate(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        features = self.reduce(x)
        return features * self.weigh(features)


class BANet(nn.Module):
    """Normalised images (B, 3, H, W) -> logits at 1/8, and auxiliary logits at 1/16.

    Args:
        num_classes: Number of classes of the logits.
        depth: Depth of the ResNet, 18 or 34.
    """

    def __init__(self, num_classes: int, depth: int) -> None:
        super().__init__()
        self.encoder = ResNet(depth)
        self.attention8, self.attention16, self.attention32 = map(ChannelAttention, (128, 256, 512))
        self.smooth16, self.smooth32 = conv_bn_relu(WIDTH, WIDTH, 3), conv_bn_relu(WIDTH, WIDTH, 3)
        self.merge8, self.merge16 = conv_bn_relu(2 * WIDTH, WIDTH, 1), conv_bn_relu(2 * WIDTH, WIDTH, 1)
        self.gate8, self.gate16 = gate(WIDTH), gate(WIDTH)
        self.project = conv_bn_relu(WIDTH, WIDTH, 1)
        self.classify = nn.Sequential(
            conv_bn_relu(WIDTH, WIDTH, 3), nn.Conv2d(WIDTH, num_classes, 1, bias=False)
        )
        self.auxiliary = nn.Sequential(
            conv_bn_relu(WIDTH, AUXILIARY_WIDTH, 3), nn.Conv2d(AUXILIARY_WIDTH, num_classes, 1, bias=False)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        level8, level16, level32 = self.encoder(images)
        refined8, refined16 = self.attention8(level8), self.attention16(level16)
        refined32 = self.attention32(level32)
        merged16 = self.merge16(torch.cat([self.smooth32(resize(refined32, level16)), refined16], dim=1))
        merged8 = self.merge8(torch.cat([self.smooth16(resize(refined16, level8)), refined8], dim=1))
        gated16 = self.gate16(resize(refined32, level8)) * resize(merged16, level8)
        gated8 = self.gate8(gated16) * merged8
        return self.classify(self.project(gated8)), self.auxiliary(refined16)


def resize(x: Tensor, like: Tensor) -> Tensor:
    """Resize bilinearly to the height and width of another level."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
