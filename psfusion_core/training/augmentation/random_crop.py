"""Random crops: all planes of a batch are flipped, turned, rotated, scaled and cropped together."""

from __future__ import annotations

import math

import torch
from kornia.geometry.transform import get_rotation_matrix2d, warp_affine
from torch import Tensor

from psfusion_core.training.augmentation.augmentation_settings import GeometrySettings
from psfusion_core.training.data.scene_planes import IGNORE, LABEL_PLANE, PLANES, SALIENT_PLANE


class RandomCrop:
    """Cuts a randomly mirrored, turned, rotated and scaled crop from each window of a batch.

    An item that is not rotated and scaled keeps its bytes, because interpolation would soften it.

    Args:
        settings: The variations and their probabilities.
        side: Height and width of the crops, in pixels.
    """

    def __init__(self, settings: GeometrySettings, side: int) -> None:
        self.settings, self.side = settings, side

    def window_size(self) -> int:
        """Height and width of the windows that :meth:`cut` needs, an even number of pixels.

        A window of this size covers the largest rotation at the smallest scale. A smaller window, down to the
        side of the crop, is padded if the crop reaches beyond it.
        """
        settings, size = self.settings, float(self.side)
        if settings.probability > 0:
            angle = math.radians(min(settings.rotation_degrees, 45.0))
            size = 1 + (self.side - 1) / min(settings.scale_min, 1.0) * (math.cos(angle) + math.sin(angle))
        return 2 * math.ceil(size / 2)

    def cut(self, windows: Tensor, generator: torch.Generator) -> Tensor:
        """Cut windows (B, 7, S, S) uint8 into crops (B, 7, side, side) uint8 on the same device.

        Outside a window, images repeat its border, the label is 255 and the weight 0.

        Args:
            windows: Planes as in :mod:`psfusion_core.training.data.scene_planes`.
            generator: Source of random numbers, on the CPU.

        Raises:
            ValueError: Windows have another shape or type, or are smaller than the crop.
        """
        batch, planes, size = windows.shape[0], windows.shape[1], windows.shape[-1]
        if windows.dtype != torch.uint8 or planes != PLANES or windows.shape[-2] != size or size < self.side:
            raise ValueError(
                f"expected windows (B, {PLANES}, S, S) of uint8 with S >= {self.side}, "
                f"got {tuple(windows.shape)} of {windows.dtype}"
            )
        offsets = torch.randint(size - self.side + 1, (batch, 2), generator=generator).tolist()
        mirrored = (torch.rand(batch, generator=generator) < 0.5).tolist()
        turns = torch.randint(4, (batch,), generator=generator).tolist()
        affine = torch.rand((batch, 4), generator=generator)
        resampled = (torch.rand(batch, generator=generator) < self.settings.probability).nonzero().flatten()

        crops = torch.stack(
            [
                windows[item, :, top : top + self.side, left : left + self.side]
                for item, (top, left) in enumerate(offsets)
            ]
        )
        if len(resampled):
            index = resampled.to(windows.device)
            matrices = self._matrices(affine[resampled], size).to(windows.device)
            crops[index] = self._resample(windows[index], matrices)
        for item in range(batch):
            if self.settings.flip and mirrored[item]:
                crops[item] = crops[item].flip(-1)
            if self.settings.quarter_turns:
                crops[item] = crops[item].rot90(turns[item], (-2, -1))
        return crops

    def _matrices(self, numbers: Tensor, window_size: int) -> Tensor:
        """Affine maps from window to crop pixels, (N, 2, 3), made of random numbers (N, 4) in [0, 1)."""
        settings = self.settings
        angle = settings.rotation_degrees * (2 * numbers[:, 0] - 1)
        scale = settings.scale_min * (settings.scale_max / settings.scale_min) ** numbers[:, 1]
        radians = angle.deg2rad()
        # Half the side of the upright square around the crop: the centre stays that far inside the window.
        reach = (self.side - 1) / 2 / scale * (radians.cos().abs() + radians.sin().abs())
        reach = reach.clamp(max=(window_size - 1) / 2)[:, None]
        centre = reach + numbers[:, 2:] * (window_size - 1 - 2 * reach)
        matrices = get_rotation_matrix2d(centre, angle, scale[:, None].expand(-1, 2))
        matrices[:, :, 2] += (self.side - 1) / 2 - centre
        return matrices

    def _resample(self, windows: Tensor, matrices: Tensor) -> Tensor:
        size = (self.side, self.side)
        shown = [0, 1, 2, 3, SALIENT_PLANE]
        images = warp_affine(windows[:, shown].float(), matrices, size, "bilinear", padding_mode="border")
        # Padding is with zeros, so 255 is made the zero of labels.
        away = windows.new_tensor([[[IGNORE]], [[0]]]).float()
        marks = windows[:, LABEL_PLANE:SALIENT_PLANE].float() - away
        marks = warp_affine(marks, matrices, size, "nearest", padding_mode="zeros") + away
        images = images.round().clamp(0, 255)
        return torch.cat([images[:, :4], marks, images[:, 4:]], dim=1).byte()
