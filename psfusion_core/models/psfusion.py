"""PSFusion, the published network: infrared-visible fusion by progressive semantic injection.

Tang, Zhang, Xu, Ma, "Rethinking the necessity of image fusion in high-level vision tasks: A practical
infrared and visible image fusion network based on progressive semantic injection and scene fidelity",
Information Fusion 99 (2023) 101870. The paper's module names are kept: SDFM, PSFM, SIM, S2PM, DSRM.

    visible  -> encoder -> v1..v6 -+- levels 1-3: SDFM -> fused1..3 -+- fused1..3 -> SIM1, SIM2 -> injected
    infrared -> encoder -> t1..t6 -+- levels 4-6: PSFM -> fused4..6 -+- fused3..6 -> S2PM -> semantics
    injected -> DSRM1 -> SIM3, guided by the semantics -> DSRM2 -> scene
    semantics -> perception heads -> semantic, binary and boundary logits
    scene -> image heads -> fused, visible and infrared image

In the shapes below H and W are the input's height and width; h and w stand for any size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from psfusion_core.models.attention import CrossAttention
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.models.input_size import check_inputs
from psfusion_core.models.resnet import ResNetEncoder


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3 convolution with bias."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def conv_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def conv_bn_bn_relu(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, two BatchNorms in a row as in the published weights, and ReLU."""
    conv, norm, relu = conv_bn_relu(inputs, outputs)
    return nn.Sequential(conv, norm, nn.BatchNorm2d(outputs), relu)


def bottleneck(channels: int, hidden: int) -> nn.Sequential:
    """1x1 convolutions down to `hidden` channels and back, for attention weights."""
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True),
        nn.Conv2d(hidden, channels, 1), nn.BatchNorm2d(channels),
    )  # fmt: skip


def global_bottleneck(channels: int, hidden: int) -> nn.Sequential:
    """A global average pool, then the bottleneck: (B, C, H, W) -> (B, C, 1, 1)."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), *bottleneck(channels, hidden))


def upsample(x: Tensor, factor: int) -> Tensor:
    """Bilinear upsampling with aligned corners."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)


class SDFM(nn.Module):
    """Superficial detail fusion module: a weighted mean of both modalities, weighted per pixel and channel.

    visible and infrared (B, inputs, h, w) -> (B, outputs, h, w).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        both = 2 * outputs
        widths = (inputs, outputs), (outputs, outputs), (outputs, outputs)
        self.visible_detail = nn.Sequential(*(conv_bn_relu(*width) for width in widths))
        self.infrared_detail = nn.Sequential(*(conv_bn_relu(*width) for width in widths))
        self.recalibrate = nn.Sequential(global_bottleneck(both, outputs // 2), nn.Sigmoid())
        self.aggregate = nn.Sequential(nn.Conv2d(both, outputs, 1), nn.BatchNorm2d(outputs), nn.ReLU())
        self.local_weight = bottleneck(outputs, outputs // 4)
        self.global_weight = global_bottleneck(outputs, outputs // 4)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        both = torch.cat((self.visible_detail(visible), self.infrared_detail(infrared)), dim=1)
        both = both + both * self.recalibrate(both)
        visible, infrared = both.chunk(2, dim=1)
        aggregate = self.aggregate(both)
        weight = torch.sigmoid(self.local_weight(aggregate) * self.global_weight(aggregate))
        return weight * visible + (1 - weight) * infrared


class DenseBlock(nn.Module):
    """Four densely connected narrow layers beside the input: (B, inputs, h, w) -> (B, 64, h, w)."""

    def __init__(self, inputs: int, growth: int = 16, outputs: int = 64) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, growth, 1)
        self.layers = nn.ModuleList(conv_bn_relu(count * growth, growth) for count in (1, 2, 3, 4))
        self.merge = conv_bn_relu(inputs + growth, outputs)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.reduce(x)
        dense: list[Tensor] = []
        for layer in self.layers:
            dense.append(layer(torch.cat((*dense, reduced), dim=1)))
        return self.merge(torch.cat((x, dense[-1]), dim=1))


class PSFM(nn.Module):
    """Profound semantic fusion module: dense blocks, then cross attention between the modalities.

    visible and infrared (B, inputs, h, w) -> (B, 64, h, w).
    """

    def __init__(self, inputs: int, channels: int = 64) -> None:
        super().__init__()
        self.visible_dense = DenseBlock(inputs)
        self.infrared_dense = DenseBlock(inputs)
        self.query = conv_bn_relu(2 * channels, channels)
        self.visible_key = conv_bn_relu(channels, channels)
        self.visible_value = conv_bn_relu(channels, channels)
        self.infrared_key = conv_bn_relu(channels, channels)
        self.infrared_value = conv_bn_relu(channels, channels)
        self.attention = CrossAttention(scale=1.0)
        self.visible_gain = nn.Parameter(torch.zeros(1))
        self.infrared_gain = nn.Parameter(torch.zeros(1))
        self.merge = conv_bn_relu(2 * channels, channels)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        visible, infrared = self.visible_dense(visible), self.infrared_dense(infrared)
        query = self.query(torch.cat((visible, infrared), dim=1))
        from_visible = self.attention(query, self.visible_key(visible), self.visible_value(visible))
        from_infrared = self.attention(query, self.infrared_key(infrared), self.infrared_value(infrared))
        # Crosswise residuals: each modality receives the attended features of the other.
        to_infrared = self.visible_gain * from_visible + infrared
        to_visible = self.infrared_gain * from_infrared + visible
        return self.merge(torch.cat((to_infrared, to_visible), dim=1))


class SIM(nn.Module):
    """Semantic injection module: scales and shifts instance-normalised features by a semantic guide.

    x (B, channels, h, w) and guide (B, guide_channels, any size) -> (B, channels, h, w).
    """

    def __init__(self, guide_channels: int, channels: int = 32, hidden: int = 32) -> None:
        super().__init__()
        self.shared = conv3x3(guide_channels, hidden)
        self.gamma = conv3x3(hidden, channels)
        self.beta = conv3x3(hidden, channels)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        guide = F.interpolate(guide, size=x.shape[-2:], mode="bilinear", align_corners=False)
        shared = F.relu(self.shared(guide))
        return self.norm(F.instance_norm(x) * (1 + torch.sigmoid(self.gamma(shared)))) + self.beta(shared)


class S2PM(nn.Module):
    """Sparse semantic perception module: four levels of 64 channels -> semantics (B, 64, H / 4, W / 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.ModuleList(conv3x3(64, 64) for _ in range(4))
        self.perceive = nn.Sequential(*(conv_bn_bn_relu(width, 64) for width in (256, 64, 64)))

    def forward(self, *levels: Tensor) -> Tensor:
        level3, level4, level5, level6 = (project(x) for project, x in zip(self.project, levels, strict=True))
        pyramid = level3, upsample(level4, 2), upsample(level5, 4), upsample(level6, 8)
        return self.perceive(torch.cat(pyramid, dim=1))


class DSRM(nn.Module):
    """Dense scene reconstruction module: four densely connected layers, (B, 32, H, W) -> (B, 32, H, W)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv_bn_bn_relu(count * channels, channels) for count in (1, 2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, dim=1)))
        return features[-1]


def conv1x1_bn_relu6(inputs: int, outputs: int, bias: bool) -> nn.Sequential:
    """1x1 convolution, BatchNorm, ReLU6."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs), nn.ReLU6())


class PerceptionHeads(nn.Module):
    """Semantic, binary and boundary logits at H x W from the semantics (B, 64, H / 4, W / 4).

    The binary head finds objects of any class; its object probability gates what the semantic head sees.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.binary_reduce = conv1x1_bn_relu6(64, 16, bias=False)
        self.binary = conv3x3(16, 2)
        self.semantic_reduce = conv1x1_bn_relu6(64, 64, bias=False)
        self.semantic = conv3x3(64, num_classes)
        self.boundary_reduce = conv1x1_bn_relu6(128, 64, bias=True)
        self.boundary = conv3x3(64, 2)

    def _detect(self, semantics: Tensor) -> tuple[Tensor, Tensor]:
        """Binary logits (B, 2, H / 4, W / 4) and the features of the semantic head (B, 64, H / 2, W / 2)."""
        binary = self.binary(self.binary_reduce(semantics))
        object_probability = binary.softmax(dim=1)[:, 1:]
        return binary, self.semantic_reduce(upsample(semantics * object_probability, 2))

    def segment(self, semantics: Tensor) -> Tensor:
        """Return only the semantic logits (B, num_classes, H, W)."""
        _, gated = self._detect(semantics)
        return upsample(self.semantic(gated), 2)

    def forward(self, semantics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        binary, gated = self._detect(semantics)
        edges = self.boundary_reduce(torch.cat((gated, upsample(semantics, 2)), dim=1))
        return upsample(self.semantic(gated), 2), upsample(binary, 4), upsample(self.boundary(edges), 2)


class ImageHead(nn.Module):
    """An image in [0, 1] from the scene features: (B, 32, H, W) -> (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv3x3(32, 1)

    def forward(self, scene: Tensor) -> Tensor:
        return (torch.tanh(self.conv(scene)) + 1) / 2


class SceneFidelityHead(ImageHead):
    """An image head behind a scene-specific mask, which selects the features of one modality."""

    def __init__(self) -> None:
        super().__init__()
        local: list[nn.Module] = []
        for _ in range(3):
            local += nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.BatchNorm2d(32), nn.ReLU(inplace=True)
        self.local_weight = nn.Sequential(*local[:-1])
        self.global_weight = global_bottleneck(32, 8)
        self.norm = nn.BatchNorm2d(32)

    def forward(self, scene: Tensor) -> Tensor:
        mask = torch.sigmoid(self.local_weight(scene) * self.global_weight(scene))
        return super().forward(self.norm(mask * scene))


class PSFusion(nn.Module):
    """The published network: 45.9 M parameters with nine classes, 184.5 G multiply-accumulates at 640 x 480.

    Unlabelled is class 0 of `num_classes`.
    """

    size_multiple = 32  # the deepest level has 1/32 of the input's size

    def __init__(self, num_classes: int = 9) -> None:
        super().__init__()
        self.visible_encoder, self.infrared_encoder = ResNetEncoder(3), ResNetEncoder(1)
        self.sdfm1, self.sdfm2, self.sdfm3 = SDFM(32, 32), SDFM(64, 32), SDFM(64, 64)
        self.psfm4, self.psfm5, self.psfm6 = PSFM(128), PSFM(256), PSFM(512)
        self.sim1, self.sim2, self.sim3 = SIM(64), SIM(32), SIM(64)
        self.s2pm = S2PM()
        self.dsrm1, self.dsrm2 = DSRM(), DSRM()
        self.perception_heads = PerceptionHeads(num_classes)
        self.fused_head = ImageHead()
        self.visible_head, self.infrared_head = SceneFidelityHead(), SceneFidelityHead()

    def features(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Return what all heads share: scene features (B, 32, H, W) and semantics (B, 64, H / 4, W / 4)."""
        check_inputs(visible, infrared, self.size_multiple)
        v1, v2, v3, v4, v5, v6 = self.visible_encoder(visible)
        t1, t2, t3, t4, t5, t6 = self.infrared_encoder(infrared)
        fused1, fused2, fused3 = self.sdfm1(v1, t1), self.sdfm2(v2, t2), self.sdfm3(v3, t3)
        fused4, fused5, fused6 = self.psfm4(v4, t4), self.psfm5(v5, t5), self.psfm6(v6, t6)
        semantics = self.s2pm(fused3, fused4, fused5, fused6)
        injected = self.sim2(fused1, guide=self.sim1(fused2, guide=fused3))
        scene = self.dsrm2(self.sim3(self.dsrm1(injected), guide=semantics))
        return scene, semantics

    def forward(self, visible: Tensor, infrared: Tensor) -> FusionOutput:
        """Fuse RGB (B, 3, H, W) and infrared (B, 1, H, W), both float in [0, 1]; H and W are multiples of 32.

        Raises ValueError for other shapes; for a wrong H or W the message gives the padded size.
        """
        scene, semantics = self.features(visible, infrared)
        semantic, binary, boundary = self.perception_heads(semantics)
        images = self.fused_head(scene), self.visible_head(scene), self.infrared_head(scene)
        return FusionOutput(semantic, binary, boundary, *images)

    def fuse_and_segment(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Return only the outputs of run time: fused luma and semantic logits."""
        scene, semantics = self.features(visible, infrared)
        return self.fused_head(scene), self.perception_heads.segment(semantics)
