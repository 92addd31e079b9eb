"""What robots' cameras do to images: photometric augmentation of a batch, on its device."""

from __future__ import annotations

import torch
from torch import Tensor

from psfusion_core.training.dataset import Sample


class CameraVariation:
    """Vary exposure of the visible image and gain, offset, contrast and noise of the infrared image.

    MSRS infrared is contrast-enhanced (dark background); other cameras are not. Half of the infrared images
    get a gain in [0.5, 1.3], a gamma in [0.6, 1.4] and an offset in [0, 0.2]; noise is at most 0.015.

    Args:
        generator: source of randomness, so that a run can resume.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def uniform(self, count: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand((count, 1, 1, 1), generator=self.generator)

    def noise(self, image: Tensor, deviation: Tensor) -> Tensor:
        return image + deviation * torch.randn(image.shape, generator=self.generator)

    def __call__(self, sample: Sample) -> Sample:
        count = len(sample.visible)
        exposed = sample.visible.clamp(min=1e-4).pow(self.uniform(count, 0.7, 1.4)) * self.uniform(
            count, 0.7, 1.2
        )
        changed = sample.infrared.clamp(min=1e-4).pow(self.uniform(count, 0.6, 1.4))
        changed = changed * self.uniform(count, 0.5, 1.3) + self.uniform(count, 0.0, 0.2)
        changed = self.noise(changed, self.uniform(count, 0.0, 0.015))
        visible = torch.where(self.uniform(count, 0, 1) < 0.5, sample.visible, exposed)
        infrared = torch.where(self.uniform(count, 0, 1) < 0.5, sample.infrared, changed)
        return sample._replace(visible=visible.clamp(0, 1), infrared=infrared.clamp(0, 1))
