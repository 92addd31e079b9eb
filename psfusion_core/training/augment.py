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
        generator: source of randomness on the CPU, so that a run resumes alike on every device.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def uniform(self, image: Tensor, low: float, high: float) -> Tensor:
        """One number for each image of a batch, (B, 1, 1, 1)."""
        numbers = torch.rand((len(image), 1, 1, 1), generator=self.generator)
        return low + (high - low) * numbers.to(image.device)

    def noise(self, image: Tensor) -> Tensor:
        return torch.randn(image.shape, generator=self.generator).to(image.device)

    def __call__(self, sample: Sample) -> Sample:
        visible, infrared = sample.visible, sample.infrared
        exposed = visible.clamp(min=1e-4).pow(self.uniform(visible, 0.7, 1.4))
        exposed = exposed * self.uniform(visible, 0.7, 1.2)
        changed = infrared.clamp(min=1e-4).pow(self.uniform(infrared, 0.6, 1.4))
        changed = changed * self.uniform(infrared, 0.5, 1.3) + self.uniform(infrared, 0.0, 0.2)
        changed = changed + self.noise(infrared) * self.uniform(infrared, 0.0, 0.015)
        visible = torch.where(self.uniform(visible, 0, 1) < 0.5, visible, exposed)
        infrared = torch.where(self.uniform(infrared, 0, 1) < 0.5, infrared, changed)
        return sample._replace(visible=visible.clamp(0, 1), infrared=infrared.clamp(0, 1))
