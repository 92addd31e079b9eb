"""PSFusion-lite: the architecture of PSFusion at a fraction of its cost, for robots and CPUs.

The published network spends most of its work on 32-channel 3 x 3 convolutions at full size and on two
ResNet-34 encoders. Here the encoders (EfficientNet-lite0 without its last two stages) see the images at half
size, scene reconstruction runs at half size, and only a thin detail path of 8 channels runs at full size. The
fused luma is a per-pixel blend of the two inputs plus a bounded correction, so detail is preserved. Every
operator is a plain convolution, pooling, bilinear resize or attention product.

Scales are relative to the input: "f4 (24 @ 1/8)" has 24 channels at an eighth of its height and width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.models.attention import CrossAttention
from psfusion_core.models.efficientnet_lite import EfficientNetLiteEncoder
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.input_size import check_inputs
from psfusion_core.models.luma import luma

DETAIL_CHANNELS = (8, 16)
FUSED_CHANNELS = 32
SEMANTIC_CHANNELS = 48


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Enlarge (B, C, h, w) bilinearly; exported graphs run faster with a constant factor than with a size."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False) if factor > 1 else x


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def standardise(image: Tensor) -> Tensor:
    """Give each image of a batch mean 0.4 and standard deviation 0.2 over its channels and pixels.

    The encoders should not depend on exposure, haze or thermal gain, so these are removed from their inputs.
    (B, C, H, W) -> the same shape; a flat image stays flat.
    """
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    deviation = (image - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return 0.4 + 0.2 * (image - mean) / (deviation + 0.02)


class DetailExtractor(nn.Module):
    """Shallow features of one image: f1 (8 @ 1/1) and f2 (16 @ 1/2)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        full, half = DETAIL_CHANNELS
        self.full_size = conv_bn_relu(in_channels, full)
        self.half_size = nn.Sequential(conv_bn_relu(full, half, stride=2), conv_bn_relu(half, half))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        f1 = self.full_size(image)
        return f1, self.half_size(f1)


class ShallowDetailFusion(nn.Module):
    """SDFM: recalibrate the channels of both modalities, then weigh them against each other at each pixel.

    (B, c, h, w) twice -> (B, c, h, w), a convex combination of the two recalibrated inputs.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 2, 4)
        self.recalibrate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(2 * channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 2 * channels, 1),
            nn.Sigmoid(),
        )
        self.aggregate = conv_bn_relu(2 * channels, channels, kernel=1)
        self.local_weight = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.global_weight = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        both = torch.cat([visible, infrared], dim=1)
        both = both + both * self.recalibrate(both)
        visible, infrared = both.chunk(2, dim=1)
        mixed = self.aggregate(both)
        weight = torch.sigmoid(self.local_weight(mixed) + self.global_weight(mixed))
        return infrared + weight * (visible - infrared)


class DeepCrossModalFusion(nn.Module):
    """PSFM: each modality attends over the shared query, then completes the other one.

    (B, c, h, w) twice -> (B, FUSED_CHANNELS, h, w). Attention runs over all h * w positions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = FUSED_CHANNELS
        self.reduce_visible = conv_bn_relu(channels, width, kernel=1)
        self.reduce_infrared = conv_bn_relu(channels, width, kernel=1)
        self.shared_query = nn.Conv2d(2 * width, width, 1)
        self.visible_key_value = nn.Conv2d(width, 2 * width, 1)
        self.infrared_key_value = nn.Conv2d(width, 2 * width, 1)
        self.attention = CrossAttention()
        self.visible_gain = nn.Parameter(torch.zeros(1))
        self.infrared_gain = nn.Parameter(torch.zeros(1))
        self.merge = conv_bn_relu(2 * width, width)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        visible, infrared = self.reduce_visible(visible), self.reduce_infrared(infrared)
        query = self.shared_query(torch.cat([visible, infrared], dim=1))
        from_visible = self.attention(query, *self.visible_key_value(visible).chunk(2, dim=1))
        from_infrared = self.attention(query, *self.infrared_key_value(infrared).chunk(2, dim=1))
        completed_infrared = infrared + self.visible_gain * from_visible
        completed_visible = visible + self.infrared_gain * from_infrared
        return self.merge(torch.cat([completed_infrared, completed_visible], dim=1))


class SemanticInjection(nn.Module):
    """SIM: scale and shift features by a deeper, coarser feature map.

    x (B, c, h, w), guide (B, g, h / 2, w / 2) -> (B, c, h, w). Scale and shift are computed at the size of
    the guide, then enlarged, which costs a quarter and gives the same smooth field.
    """

    def __init__(self, channels: int, guide_channels: int) -> None:
        super().__init__()
        self.shared = conv_bn_relu(guide_channels, channels)
        self.scale_shift = nn.Conv2d(channels, 2 * channels, 3, padding=1)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        scale, shift = enlarge(self.scale_shift(self.shared(guide)), 2).chunk(2, dim=1)
        return x * (1.0 + torch.sigmoid(scale)) + shift


class SparseSemanticPerception(nn.Module):
    """S2PM: gather the fused levels 3 to 6 at 1/4 -> (B, SEMANTIC_CHANNELS, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        self.gather = conv_bn_relu(4 * FUSED_CHANNELS, SEMANTIC_CHANNELS, kernel=1)
        self.refine = nn.Sequential(
            conv_bn_relu(SEMANTIC_CHANNELS, SEMANTIC_CHANNELS),
            conv_bn_relu(SEMANTIC_CHANNELS, SEMANTIC_CHANNELS),
        )

    def forward(self, levels: list[Tensor]) -> Tensor:
        pyramid = [enlarge(level, 2**k) for k, level in enumerate(levels)]
        return self.refine(self.gather(torch.cat(pyramid, dim=1)))


class SemanticHeads(nn.Module):
    """Binary, semantic and boundary logits (at 1/4) from s; the object probability gates the classes."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        width = SEMANTIC_CHANNELS
        self.binary = nn.Sequential(conv_bn_relu(width, 16, kernel=1), nn.Conv2d(16, 2, 3, padding=1))
        self.semantic_features = conv_bn_relu(width, width, kernel=1)
        self.semantic = nn.Conv2d(width, num_classes, 3, padding=1)
        self.boundary = nn.Sequential(conv_bn_relu(2 * width, 32, kernel=1), nn.Conv2d(32, 2, 3, padding=1))

    def segment(self, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the semantic logits, the binary logits and the gated features that boundaries need."""
        binary = self.binary(s)
        object_probability = torch.softmax(binary, dim=1)[:, 1:]
        gated = self.semantic_features(s * (1.0 + object_probability))
        return self.semantic(gated), binary, gated

    def forward(self, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        semantic, binary, gated = self.segment(s)
        return semantic, binary, self.boundary(torch.cat([gated, s], dim=1))


class DenseSceneReconstruction(nn.Module):
    """DSRM: the input of each convolution is x and all earlier outputs; the last output is returned."""

    def __init__(self, channels: int, depth: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv_bn_relu((k + 1) * channels, channels) for k in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, dim=1)))
        return features[-1]


class SourceImageHead(nn.Module):
    """A masked image head, which reconstructs one source image in [0, 1]: (B, c, H, W) -> (B, 1, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local_mask = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.global_mask = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))
        self.image = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, d: Tensor) -> Tensor:
        masked = d * torch.sigmoid(self.local_mask(d) + self.global_mask(d))
        return torch.sigmoid(self.image(masked))


class BlendHead(nn.Module):
    """Fused luma, composed at each pixel from both images by maps that the network predicts.

    H = max(I - o (1 - I), 0) is the infrared image above its background; M and m are the larger and the
    smaller of Y and H:

        B = Y + a max(H - Y, 0) - b max(Y - H, 0) + s m (1 - M)     heat added, glare taken, overlap kept
        D = (B - box(B)) e / (box((B - box(B))^2) + e)              local detail, none across strong edges
        F = clip(B + g D^3 / (D^2 + n^2) + c, 0, 1)                 raised above the noise, and corrected

    o, a, b, s, g are in (0, 1), c in (-1, 1); box is the mean of a 9 x 9 window, e = 0.003, n = 0.008. The
    images themselves are blended, so detail does not depend on the sharpness of the maps.
    """

    WINDOW = 9
    EDGE = 0.003
    NOISE = 0.008
    START = (-3.0, 5.0, -6.0, -0.85, -0.2, 0.0)
    """Initial biases of the maps o, a, b, s, g, c: a maximum with some overlap and some contrast."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(channels, 6, 3, padding=1)
        nn.init.normal_(self.maps.weight, std=0.01)
        self.maps.bias = nn.Parameter(torch.tensor(self.START))

    def box(self, x: Tensor) -> Tensor:
        """Mean of the window inside the image; rows, then columns."""
        size, reach = self.WINDOW, self.WINDOW // 2
        x = F.avg_pool2d(x, (size, 1), 1, (reach, 0), count_include_pad=False)
        return F.avg_pool2d(x, (1, size), 1, (0, reach), count_include_pad=False)

    def forward(self, d: Tensor, visible_luma: Tensor, infrared: Tensor) -> Tensor:
        maps = self.maps(d)
        offset, added, taken, overlap, gain = torch.sigmoid(maps[:, :5]).chunk(5, dim=1)
        correction = torch.tanh(maps[:, 5:])
        heat = F.relu(infrared - offset * (1.0 - infrared))
        difference = heat - visible_luma
        hotter, brighter = F.relu(difference), F.relu(-difference)
        larger, smaller = visible_luma + hotter, heat - hotter
        blend = visible_luma + added * hotter - taken * brighter + overlap * smaller * (1.0 - larger)
        deviation = blend - self.box(blend)
        detail = deviation * (self.EDGE / (self.box(deviation * deviation) + self.EDGE))
        power = detail * detail
        raised = detail * (power / (power + self.NOISE**2))
        return (blend + gain * raised + correction).clamp(0.0, 1.0)


class PSFusionLite(nn.Module):
    """The light network.

    Args:
        num_classes: classes of the semantic head, the first being "unlabelled".
    """

    size_multiple = 32

    def __init__(self, num_classes: int = 9) -> None:
        super().__init__()
        full, half = DETAIL_CHANNELS
        self.visible_details = DetailExtractor(3)
        self.infrared_details = DetailExtractor(1)
        self.visible_encoder = EfficientNetLiteEncoder(3)
        self.infrared_encoder = EfficientNetLiteEncoder(1)
        c3, c4, c5, c6 = EfficientNetLiteEncoder.channels

        self.sdfm1 = ShallowDetailFusion(full)
        self.sdfm2 = ShallowDetailFusion(half)
        self.sdfm3 = ShallowDetailFusion(c3)
        self.sdfm4 = ShallowDetailFusion(c4)
        self.psfm5 = DeepCrossModalFusion(c5)
        self.psfm6 = DeepCrossModalFusion(c6)
        self.widen3 = conv_bn_relu(c3, FUSED_CHANNELS)
        self.widen4 = conv_bn_relu(c4, FUSED_CHANNELS)

        self.sparse_semantic_perception = SparseSemanticPerception()
        self.semantic_heads = SemanticHeads(num_classes)

        self.inject_level3 = SemanticInjection(half, FUSED_CHANNELS)
        self.inject_semantics = SemanticInjection(half, SEMANTIC_CHANNELS)
        self.reconstruct_scene = DenseSceneReconstruction(half)
        self.narrow = conv_bn_relu(half, full, kernel=1)
        self.refine_full_size = conv_bn_relu(2 * full, full)

        self.fused_head = BlendHead(full)
        self.visible_head = SourceImageHead(full)
        self.infrared_head = SourceImageHead(full)

    def features(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scene features d (8 @ 1/1) and the semantic features s (48 @ 1/4)."""
        check_inputs(visible, infrared, self.size_multiple)
        v1, v2 = self.visible_details(visible)
        t1, t2 = self.infrared_details(infrared)
        v3, v4, v5, v6 = self.visible_encoder(standardise(F.avg_pool2d(visible, 2)))
        t3, t4, t5, t6 = self.infrared_encoder(standardise(F.avg_pool2d(infrared, 2)))

        fused1, fused2 = self.sdfm1(v1, t1), self.sdfm2(v2, t2)
        fused3 = self.widen3(self.sdfm3(v3, t3))
        fused4 = self.widen4(self.sdfm4(v4, t4))
        fused5, fused6 = self.psfm5(v5, t5), self.psfm6(v6, t6)

        s = self.sparse_semantic_perception([fused3, fused4, fused5, fused6])
        r = self.inject_semantics(self.inject_level3(fused2, fused3), s)
        r = self.reconstruct_scene(r)
        d = self.refine_full_size(torch.cat([fused1, enlarge(self.narrow(r), 2)], dim=1))
        return d, s

    def fuse_and_segment(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Return only fused luma and semantic logits; the arguments are those of :meth:`forward`."""
        d, s = self.features(visible, infrared)
        fused = self.fused_head(d, luma(visible), infrared)
        semantic, _, _ = self.semantic_heads.segment(s)
        return fused, enlarge(semantic, 4)

    def forward(self, visible: Tensor, infrared: Tensor) -> FusionOutput:
        """Fuse one batch.

        Args:
            visible: (B, 3, H, W) RGB in [0, 1]; H and W multiples of 32.
            infrared: (B, 1, H, W) in [0, 1].

        Raises:
            ValueError: H or W is not a multiple of 32; the message gives the padded size.
        """
        d, s = self.features(visible, infrared)
        semantic, binary, boundary = (enlarge(logits, 4) for logits in self.semantic_heads(s))
        return FusionOutput(
            semantic=semantic,
            binary=binary,
            boundary=boundary,
            fused=self.fused_head(d, luma(visible), infrared),
            visible=self.visible_head(d),
            infrared=self.infrared_head(d),
        )
