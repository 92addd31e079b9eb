"""EfficientNet-lite0 without its last two stages, as the encoder of PSFusion-lite.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the lite
variant has no squeeze-and-excitation, and ReLU6 instead of Swish, so that it runs well on small devices.
"""

from __future__ import annotations

from torch import Tensor, nn

STAGES = (
    # blocks, kernel, stride, expansion, output channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
)
STEM_CHANNELS = 32
BATCH_NORM_EPSILON = 1e-3


def conv_bn(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(out_channels, eps=BATCH_NORM_EPSILON)


class InvertedResidual(nn.Module):
    """Expand (1 x 1), filter each channel (k x k), project (1 x 1); add the input if the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [*conv_bn(in_channels, hidden, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        depthwise = [*conv_bn(hidden, hidden, kernel, stride, groups=hidden), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*expand, *depthwise, *conv_bn(hidden, out_channels, 1))
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.has_shortcut else self.layers(x)


class EfficientNetLiteEncoder(nn.Module):
    """(B, in_channels, h, w) -> 16, 24, 40 and 112 channels at 1/2, 1/4, 1/8 and 1/16 of h and w."""

    channels = (16, 24, 40, 112)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.stem = nn.Sequential(*conv_bn(in_channels, STEM_CHANNELS, 3, stride=2), nn.ReLU6(inplace=True))
        self.stages = nn.ModuleList()
        previous = STEM_CHANNELS
        for blocks, kernel, stride, expansion, width in STAGES:
            stage = nn.Sequential()
            for block in range(blocks):
                stage.append(
                    InvertedResidual(previous, width, kernel, stride if block == 0 else 1, expansion)
                )
                previous = width
            self.stages.append(stage)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x1 = self.stages[0](self.stem(image))
        x2 = self.stages[1](x1)
        x3 = self.stages[2](x2)
        return x1, x2, x3, self.stages[4](self.stages[3](x3))
