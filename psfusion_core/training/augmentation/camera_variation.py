"""What robots' cameras do to images: photometric variation of a batch, item by item, on its device."""

from __future__ import annotations

from collections.abc import Callable

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
from psfusion_core.training.data.planes import Sample


class CameraVariation:
    """Vary a batch; each effect meets each item with a probability of its own.

    Args:
        settings: probabilities and strengths; with every probability 0 a batch passes as it is.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.settings = settings

    @torch.no_grad()
    def __call__(self, sample: Sample, generator: torch.Generator) -> tuple[Sample, Sample]:
        """Return what the network sees, and what the fusion losses compare with.

        Both show what the cameras made of the light: exposure, darkness and glare, misregistration, gain and
        contrast. Only the network sees noise and black-hot polarity; it learns to undo them. Label, weight
        and salient stay: labels belong to the visible image.

        Args:
            sample: see :class:`Sample`; it is not changed.
            generator: source of randomness, on the CPU.
        """
        dice = _Dice(generator, sample.visible.device)
        lit, seen_visible = self._vary_visible(sample.visible, dice)
        clean, seen_infrared = self._vary_infrared(sample.infrared, dice)
        reference = sample._replace(visible=lit, infrared=clean)
        return reference._replace(visible=seen_visible, infrared=seen_infrared), reference

    def _vary_visible(self, visible: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        """Return the visible image without and with noise."""
        settings, (batch, _, height, width) = self.settings, visible.shape
        bright, dark, dazzled = (
            dice.choose(batch, probability)
            for probability in (
                settings.exposure_probability,
                settings.darkness_probability,
                settings.glare_probability,
            )
        )

        def exposed(image: Tensor) -> Tensor:
            gain, gamma = (dice.stops(len(image), settings.exposure_stops) for _ in range(2))
            return change_gain(image, gain, gamma, torch.zeros_like(gain))

        def darkened(image: Tensor) -> Tensor:
            return darken(image, settings.darkness_stops * dice.uniform(0.5, 1.0, len(image)))

        def glaring(image: Tensor) -> Tensor:
            count, size = len(image), torch.tensor([width - 1, height - 1], device=image.device)
            radii = settings.glare_radius * width * dice.uniform(0.2, 1.0, count, 2)
            first, second = torch.full((count,), 2.0, device=image.device), dice.uniform(-1.0, 1.0, count)
            peaks = torch.stack([first, 2.0 * (second > 0)], dim=1)
            haze = settings.glare_haze * dice.uniform(0.2, 1.0, count)
            return add_glare(image, dice.uniform(0.0, 1.0, count, 2, 2) * size, radii, peaks, haze)

        def noisy(image: Tensor) -> Tensor:
            return add_shot_noise(image, settings.darkness_electrons, dice.normal(*image.shape))

        lit = _on(visible, bright, exposed)
        lit = _on(lit, dark, darkened)
        lit = _on(lit, dazzled, glaring)
        return lit, _on(lit, dark, noisy)

    def _vary_infrared(self, infrared: Tensor, dice: _Dice) -> tuple[Tensor, Tensor]:
        """Return the infrared image without noise and white-hot, and as its camera gave it."""
        settings, (batch, _, height, width) = self.settings, infrared.shape

        def misplaced(image: Tensor) -> Tensor:
            shift = settings.misregistration_pixels * dice.uniform(-1.0, 1.0, len(image), 2)
            degrees = settings.misregistration_degrees * dice.uniform(-1.0, 1.0, len(image))
            return misregister(image, shift, degrees)

        def enhanced(image: Tensor) -> Tensor:
            darkest = settings.enhancement_background
            return enhance_contrast(image, dice.uniform(darkest, EVEN_BACKGROUND, len(image)))

        def narrowed(image: Tensor) -> Tensor:
            background = dice.uniform(EVEN_BACKGROUND, settings.narrowing_background, len(image))
            span = dice.uniform(settings.narrowing_span, 1.0, len(image))
            low = (1.0 - span) * dice.uniform(0.0, 1.0, len(image))
            return narrow_contrast(image, background, low, span)

        def amplified(image: Tensor) -> Tensor:
            gain, gamma = (dice.stops(len(image), settings.infrared_gain_stops) for _ in range(2))
            return change_gain(image, gain, gamma, dice.uniform(0.0, settings.infrared_offset, len(image)))

        def noisy(image: Tensor) -> Tensor:
            count = len(image)
            white = wide(dice.uniform(0.0, settings.infrared_noise, count)) * dice.normal(*image.shape)
            pattern = wide(dice.uniform(0.0, settings.infrared_pattern, count))
            columns, rows = dice.normal(count, 1, 1, width), dice.normal(count, 1, height, 1)
            return add_infrared_noise(image, white, pattern * columns, pattern * rows)

        clean = infrared
        for effect, probability in (
            (misplaced, settings.misregistration_probability),
            (enhanced, settings.enhancement_probability),
            (narrowed, settings.narrowing_probability),
            (amplified, settings.infrared_gain_probability),
        ):
            clean = _on(clean, dice.choose(batch, probability), effect)
        seen = _on(clean, dice.choose(batch, settings.inversion_probability), invert)
        return clean, _on(seen, dice.choose(batch, settings.infrared_noise_probability), noisy)


def _on(images: Tensor, chosen: Tensor, effect: Callable[[Tensor], Tensor]) -> Tensor:
    """Replace the chosen images by the effect on them; the others keep their bits."""
    if not len(chosen):
        return images
    return images.index_copy(0, chosen, effect(images.index_select(0, chosen)))


class _Dice:
    """Random numbers, drawn on the CPU so that a run goes alike on every device, and moved to one."""

    def __init__(self, generator: torch.Generator, device: torch.device) -> None:
        self.generator, self.device = generator, device

    def choose(self, count: int, probability: float) -> Tensor:
        """Indices of the items that an effect meets."""
        met = torch.rand(count, generator=self.generator) < probability
        return met.nonzero().flatten().to(self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=self.generator).to(self.device)

    def stops(self, count: int, most: float) -> Tensor:
        """Factors within 2^-most to 2^most, evenly in their logarithm."""
        return torch.exp2(self.uniform(-most, most, count))

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator).to(self.device)
