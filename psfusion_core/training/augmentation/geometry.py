"""Flip, turn, rotate, scale and crop all planes of a batch jointly, on their device."""

from __future__ import annotations

import math

import torch
from kornia.geometry.transform import get_rotation_matrix2d, warp_affine
from torch import Tensor

from psfusion_core.training.augmentation.augmentation_settings import GeometrySettings
from psfusion_core.training.data.planes import IGNORE, LABEL_PLANE, PLANES, SALIENT_PLANE


class RandomGeometry:
    """Cut a random crop, mirrored, turned, rotated and scaled at random, from each window of a batch.

    An item that is not rotated and scaled keeps its bytes: interpolation would soften it, and the losses
    and the measured sharpness with it.

    Args:
        settings: what varies, and how often.
        crop: side of the squares that are returned, in pixels.
    """

    def __init__(self, settings: GeometrySettings, crop: int) -> None:
        self.settings, self.crop = settings, crop

    def window_size(self) -> int:
        """Side of the square windows to call this with, an even number of pixels.

        In a window of this size the largest rotation at the smallest scale finds real pixels everywhere;
        a smaller one, down to the crop, is padded where that happens.
        """
        settings, size = self.settings, float(self.crop)
        if settings.probability > 0:
            angle = math.radians(min(settings.rotation_degrees, 45.0))
            size = 1 + (self.crop - 1) / min(settings.scale_min, 1.0) * (math.cos(angle) + math.sin(angle))
        return 2 * math.ceil(size / 2)

    def __call__(self, planes: Tensor, generator: torch.Generator) -> Tensor:
        """Augment windows (B, 7, S, S) uint8 into crops (B, 7, crop, crop) uint8 on the same device.

        Outside of a window, images continue its border, label is 255 and weight 0.

        Args:
            planes: see :mod:`psfusion_core.training.data.planes`.
            generator: source of randomness, on the CPU.

        Raises:
            ValueError: planes of another shape or type, or smaller than the crop.
        """
        batch, count, side = planes.shape[0], planes.shape[1], planes.shape[-1]
        if planes.dtype != torch.uint8 or count != PLANES or planes.shape[-2] != side or side < self.crop:
            raise ValueError(
                f"expected windows (B, {PLANES}, S, S) of uint8 with S >= {self.crop}, "
                f"got {tuple(planes.shape)} of {planes.dtype}"
            )
        offsets = torch.randint(side - self.crop + 1, (batch, 2), generator=generator).tolist()
        mirrored = (torch.rand(batch, generator=generator) < 0.5).tolist()
        turns = torch.randint(4, (batch,), generator=generator).tolist()
        affine = torch.rand((batch, 4), generator=generator)
        resampled = (torch.rand(batch, generator=generator) < self.settings.probability).nonzero().flatten()

        crops = torch.stack(
            [
                planes[item, :, top : top + self.crop, left : left + self.crop]
                for item, (top, left) in enumerate(offsets)
            ]
        )
        if len(resampled):
            index = resampled.to(planes.device)
            matrices = self._matrices(affine[resampled], side).to(planes.device)
            crops = crops.index_copy(0, index, self._resample(planes.index_select(0, index), matrices))
        for item in range(batch):
            if self.settings.flip and mirrored[item]:
                crops[item] = crops[item].flip(-1)
            if self.settings.quarter_turns:
                crops[item] = crops[item].rot90(turns[item], (-2, -1))
        return crops

    def _matrices(self, numbers: Tensor, side: int) -> Tensor:
        """Pixels of the window to pixels of the crop, (N, 2, 3), from numbers (N, 4) in [0, 1)."""
        settings = self.settings
        angle = settings.rotation_degrees * (2 * numbers[:, 0] - 1)
        scale = settings.scale_min * (settings.scale_max / settings.scale_min) ** numbers[:, 1]
        radians = angle.deg2rad()
        # Half the side of the upright square round what the crop shows: the centre stays that far inside.
        reach = (self.crop - 1) / 2 / scale * (radians.cos().abs() + radians.sin().abs())
        reach = reach.clamp(max=(side - 1) / 2)[:, None]
        centre = reach + numbers[:, 2:] * (side - 1 - 2 * reach)
        matrices = get_rotation_matrix2d(centre, angle, scale[:, None].expand(-1, 2))
        matrices[:, :, 2] += (self.crop - 1) / 2 - centre
        return matrices

    def _resample(self, windows: Tensor, matrices: Tensor) -> Tensor:
        size = (self.crop, self.crop)
        shown = [0, 1, 2, 3, SALIENT_PLANE]
        images = warp_affine(windows[:, shown].float(), matrices, size, "bilinear", padding_mode="border")
        # Padding is with zeros: 255 counts as the zero of labels.
        away = windows.new_tensor([[[IGNORE]], [[0]]]).float()
        marks = windows[:, LABEL_PLANE:SALIENT_PLANE].float() - away
        marks = warp_affine(marks, matrices, size, "nearest", padding_mode="zeros") + away
        images = images.round().clamp(0, 255)
        return torch.cat([images[:, :4], marks, images[:, 4:]], dim=1).byte()
