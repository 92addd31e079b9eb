"""Photometric variation: what robots' cameras do to images, item by item, on the device of the batch."""

from __future__ import annotations

import torch
from kornia.enhance import invert
from torch import Tensor

from psfusion_core.training.augmentation.augmentation_settings import EVEN_BACKGROUND, CameraSettings
from psfusion_core.training.augmentation.effects import (
    add_glare,
    add_infrared_noise,
    add_shot_noise,
    change_gain,
    darken,
    enhance_contrast,
    misregister,
    narrow_contrast,
    wide,
)
from psfusion_core.training.data.scene_planes import Batch


class CameraVariation:
    """Varies the images of a batch; each effect meets each item with its own probability.

    Args:
        settings: Probabilities and strengths. If every probability is 0, batches pass unchanged.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings

    @torch.no_grad()
    def vary(self, batch: Batch, generator: torch.Generator) -> tuple[Batch, Batch]:
        """Return the batch that the network sees, and the reference of the fusion losses.

        Both show exposure, darkness and glare, misregistration, gain and contrast. Only the network sees
        noise and black-hot polarity, and learns to undo them. Label, weight and salient mask stay, because
        labels belong to the visible image.

        Args:
            batch: The crops; they are not changed.
            generator: Source of random numbers, on the CPU.
        """
        dice = _Dice(generator, batch.visible.device)
        visible, seen_visible = self._vary_visible(batch.visible, dice)
        infrared, seen_infrared = self._vary_infrared(batch.infrared, dice)
        reference = batch._replace(visible=visible, infrared=infrared)
        return batch._replace(visible=seen_visible, infrared=seen_infrared), reference

    def _vary_visible(self, visible: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        """Return the varied visible images without and with noise."""
        settings, clean = self.settings, visible.clone()
        exposed = dice.choose(len(clean), settings.exposure_probability)
        dark = dice.choose(len(clean), settings.darkness_probability)
        dazzled = dice.choose(len(clean), settings.glare_probability)
        if len(exposed):
            clean[exposed] = self._expose(clean[exposed], dice)
        if len(dark):
            stops = settings.darkness_stops * dice.uniform(0.5, 1.0, len(dark))
            clean[dark] = darken(clean[dark], stops)
        if len(dazzled):
            clean[dazzled] = self._dazzle(clean[dazzled], dice)
        seen = clean.clone()
        if len(dark):
            noise = dice.normal(*seen[dark].shape)
            seen[dark] = add_shot_noise(seen[dark], settings.darkness_electrons, noise)
        return clean, seen

    def _vary_infrared(self, infrared: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        """Return the varied infrared images, white-hot without noise, and as the network sees them."""
        settings, clean = self.settings, infrared.clone()
        chosen = dice.choose(len(clean), settings.misregistration_probability)
        if len(chosen):
            clean[chosen] = self._misregister(clean[chosen], dice)
        chosen = dice.choose(len(clean), settings.enhancement_probability)
        if len(chosen):
            background = dice.uniform(settings.enhancement_background, EVEN_BACKGROUND, len(chosen))
            clean[chosen] = enhance_contrast(clean[chosen], background)
        chosen = dice.choose(len(clean), settings.narrowing_probability)
        if len(chosen):
            clean[chosen] = self._narrow(clean[chosen], dice)
        chosen = dice.choose(len(clean), settings.infrared_gain_probability)
        if len(chosen):
            clean[chosen] = self._amplify(clean[chosen], dice)
        seen = clean.clone()
        chosen = dice.choose(len(seen), settings.inversion_probability)
        if len(chosen):
            seen[chosen] = invert(seen[chosen])
        chosen = dice.choose(len(seen), settings.infrared_noise_probability)
        if len(chosen):
            seen[chosen] = self._add_infrared_noise(seen[chosen], dice)
        return clean, seen

    def _expose(self, visible: Tensor, dice: _Dice) -> Tensor:
        gain, gamma = (dice.stops(len(visible), self.settings.exposure_stops) for _ in range(2))
        return change_gain(visible, gain, gamma, torch.zeros_like(gain))

    def _dazzle(self, visible: Tensor, dice: _Dice) -> Tensor:
        settings, (count, _, height, width) = self.settings, visible.shape
        size = torch.tensor([width - 1, height - 1], device=visible.device)
        radii = settings.glare_radius * width * dice.uniform(0.2, 1.0, count, 2)
        first, second = torch.full((count,), 2.0, device=visible.device), dice.uniform(-1.0, 1.0, count)
        peaks = torch.stack([first, 2.0 * (second > 0)], dim=1)
        haze = settings.glare_haze * dice.uniform(0.2, 1.0, count)
        return add_glare(visible, dice.uniform(0.0, 1.0, count, 2, 2) * size, radii, peaks, haze)

    def _misregister(self, infrared: Tensor, dice: _Dice) -> Tensor:
        shift = self.settings.misregistration_pixels * dice.uniform(-1.0, 1.0, len(infrared), 2)
        degrees = self.settings.misregistration_degrees * dice.uniform(-1.0, 1.0, len(infrared))
        return misregister(infrared, shift, degrees)

    def _narrow(self, infrared: Tensor, dice: _Dice) -> Tensor:
        background = dice.uniform(EVEN_BACKGROUND, self.settings.narrowing_background, len(infrared))
        span = dice.uniform(self.settings.narrowing_span, 1.0, len(infrared))
        low = (1.0 - span) * dice.uniform(0.0, 1.0, len(infrared))
        return narrow_contrast(infrared, background, low, span)

    def _amplify(self, infrared: Tensor, dice: _Dice) -> Tensor:
        gain, gamma = (dice.stops(len(infrared), self.settings.infrared_gain_stops) for _ in range(2))
        return change_gain(
            infrared, gain, gamma, dice.uniform(0.0, self.settings.infrared_offset, len(infrared))
        )

    def _add_infrared_noise(self, infrared: Tensor, dice: _Dice) -> Tensor:
        settings, (count, _, height, width) = self.settings, infrared.shape
        white = wide(dice.uniform(0.0, settings.infrared_noise, count)) * dice.normal(*infrared.shape)
        pattern = wide(dice.uniform(0.0, settings.infrared_pattern, count))
        columns, rows = dice.normal(count, 1, 1, width), dice.normal(count, 1, height, 1)
        return add_infrared_noise(infrared, white, pattern * columns, pattern * rows)


class _Dice:
    """Random numbers on a device, drawn on the CPU so that a run is the same on every device."""

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator, self.device = generator, device

    def choose(self, count: int, probability: float) -> Tensor:
        """Indices of the items that an effect meets."""
        met = torch.rand(count, generator=self.generator) < probability
        return met.nonzero().flatten().to(self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.generator).to(self.device)

    def stops(self, count: int, most: float) -> Tensor:
        """Factors within 2^-most to 2^most, uniform in their logarithm."""
        return torch.exp2(self.uniform(-most, most, count))

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator).to(self.device)
