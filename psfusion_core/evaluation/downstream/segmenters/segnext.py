"""SegNeXt-T: a convolutional attention encoder (MSCAN) with a Hamburger decoder.

Guo et al., "SegNeXt: Rethinking Convolutional Attention Design for Semantic Segmentation", NeurIPS 2022.
Hamburger: Geng et al., "Is Attention Better Than Matrix Decomposition?", ICLR 2021.

    images -> MSCAN -> stages at 1/4, 1/8, 1/16, 1/32; the last three -> Hamburger decoder -> logits at 1/8
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (32, 64, 160, 256)
DEPTHS = (3, 3, 5, 2)
EXPANSIONS = (8, 8, 4, 4)
"""Channels, depths and expansions of the four stages of MSCAN-T (table 2)."""
DECODER_CHANNELS = 256
DROP_PATH = 0.1
DROPOUT = 0.1
LAYER_SCALE = 0.01
STRIPS = (7, 11, 21)
RANK = 64
NMF_STEPS = 6
NMF_EPSILON = 1e-6


def depthwise(channels: int, height: int, width: int) -> nn.Conv2d:
    padding = height // 2, width // 2
    return nn.Conv2d(channels, channels, (height, width), padding=padding, groups=channels)


class MultiScaleConvolutionalAttention(nn.Module):
    """MSCA (section 3.1, equations 1 and 2): the input weighted by its surroundings at several scales."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = depthwise(channels, 5, 5)
        self.strips = nn.ModuleList(
            nn.Sequential(depthwise(channels, 1, length), depthwise(channels, length, 1)) for length in STRIPS
        )
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        local = self.local(x)
        scales = local
        for strip in self.strips:
            scales = scales + strip(local)
        return self.mix(scales) * x


class DropPath(nn.Module):
    """Drop a residual branch at random, for each item of a batch (stochastic depth)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0.0:
            return x
        kept = 1.0 - self.probability
        return x * x.new_empty(len(x), 1, 1, 1).bernoulli_(kept) / kept


class Block(nn.Module):
    """A stage's building block (figure 2a): attention, then a feed-forward network, both residual."""

    def __init__(self, channels: int, expansion: int, drop_path: float) -> None:
        super().__init__()
        hidden = channels * expansion
        self.attention_norm = nn.BatchNorm2d(channels)
        self.attention = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.GELU(),
            MultiScaleConvolutionalAttention(channels), nn.Conv2d(channels, channels, 1),
        )  # fmt: skip
        self.feed_forward = nn.Sequential(
            nn.BatchNorm2d(channels), nn.Conv2d(channels, hidden, 1), depthwise(hidden, 3, 3), nn.GELU(),
            nn.Conv2d(hidden, channels, 1),
        )  # fmt: skip
        self.attention_scale = nn.Parameter(torch.full((1, channels, 1, 1), LAYER_SCALE))
        self.feed_forward_scale = nn.Parameter(torch.full((1, channels, 1, 1), LAYER_SCALE))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.attention_norm(x)
        x = x + self.drop_path(self.attention_scale * (normed + self.attention(normed)))
        return x + self.drop_path(self.feed_forward_scale * self.feed_forward(x))


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def downsample(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution of stride 2 and BatchNorm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs))


class MSCAN(nn.Module):
    """The encoder: (B, 3, H, W) -> 32, 64, 160 and 256 channels at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self) -> None:
        super().__init__()
        rates = iter(torch.linspace(0.0, DROP_PATH, sum(DEPTHS)).tolist())
        self.stages = nn.ModuleList()
        inputs = 3
        for channels, depth, expansion in zip(CHANNELS, DEPTHS, EXPANSIONS, strict=True):
            stem = nn.Sequential(downsample(3, channels // 2), nn.GELU(), downsample(channels // 2, channels))
            shrink = stem if inputs == 3 else downsample(inputs, channels)
            blocks = [Block(channels, expansion, next(rates)) for _ in range(depth)]
            self.stages.append(nn.Sequential(shrink, *blocks, ChannelNorm(channels)))
            inputs = channels

    def forward(self, images: Tensor) -> list[Tensor]:
        levels = []
        x = images
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


def conv_norm_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False), nn.GroupNorm(32, outputs), nn.ReLU(inplace=True)
    )


class Hamburger(nn.Module):
    """Global context by a low-rank reconstruction: (B, C, h, w) -> (B, C, h, w), non-negative.

    X = bases codes, by non-negative matrix factorisation with multiplicative updates (Geng et al., section
    2.2). The initial bases are drawn once and kept, so that the result for an image is deterministic.
    """

    bases: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lower_bread = nn.Conv2d(channels, channels, 1)
        self.upper_bread = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False), nn.GroupNorm(32, channels)
        )
        self.register_buffer("bases", F.normalize(torch.rand(1, channels, RANK), dim=1))

    def forward(self, x: Tensor) -> Tensor:
        signal = F.relu(self.lower_bread(x))
        with torch.autocast(x.device.type, enabled=False):  # the updates are ratios of small numbers
            context = self.factorise(signal.float().flatten(2)).reshape(signal.shape)
        return F.relu(x + self.upper_bread(context.to(x.dtype)))

    def factorise(self, signal: Tensor) -> Tensor:
        """Reconstruct (B, C, N) >= 0 at low rank.

        Gradients flow only through the last update of the codes (one-step gradient, Geng et al., section 3).
        """
        with torch.no_grad():
            bases = self.bases.expand(len(signal), -1, -1)
            codes = torch.softmax(bases.transpose(1, 2) @ signal, dim=1)
            for _ in range(NMF_STEPS):
                codes = update_codes(signal, bases, codes)
                gram = codes @ codes.transpose(1, 2)
                bases = bases * (signal @ codes.transpose(1, 2)) / (bases @ gram + NMF_EPSILON)
        return bases @ update_codes(signal, bases, codes)


def update_codes(signal: Tensor, bases: Tensor, codes: Tensor) -> Tensor:
    """One multiplicative update of codes (B, RANK, N) under bases (B, C, RANK)."""
    gram = bases.transpose(1, 2) @ bases
    return codes * (bases.transpose(1, 2) @ signal) / (gram @ codes + NMF_EPSILON)


class SegNeXt(nn.Module):
    """SegNeXt-T: normalised images (B, 3, H, W) -> logits (B, num_classes, H / 8, W / 8).

    The decoder is that of figure 3c: it joins the last three stages at 1/8, and applies squeeze, Hamburger
    and classification.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.encoder = MSCAN()
        self.squeeze = conv_norm_relu(sum(CHANNELS[1:]), DECODER_CHANNELS)
        self.hamburger = Hamburger(DECODER_CHANNELS)
        self.align = conv_norm_relu(DECODER_CHANNELS, DECODER_CHANNELS)
        self.classify = nn.Sequential(nn.Dropout2d(DROPOUT), nn.Conv2d(DECODER_CHANNELS, num_classes, 1))
        for module in self.encoder.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.out_channels * module.weight[0, 0].numel() // module.groups
                nn.init.normal_(module.weight, std=(2.0 / fan_out) ** 0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        _, fine, *coarser = self.encoder(images)
        size = fine.shape[-2:]
        resized = [F.interpolate(x, size, mode="bilinear", align_corners=False) for x in coarser]
        features = self.squeeze(torch.cat([fine, *resized], dim=1))
        return (self.classify(self.align(self.hamburger(features))),)
