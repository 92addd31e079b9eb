"""What robots' cameras do to images: photometric variation of a batch, item by item, on its device.

An effect is a function of images (N, C, H, W) in [0, 1] and of parameters (N,), one for each image; it
returns images clamped to [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from kornia.color import linear_rgb_to_rgb, rgb_to_linear_rgb
from kornia.enhance import invert
from kornia.geometry.transform import get_rotation_matrix2d, warp_affine
from torch import Tensor

from psfusion_core.training.augmentation.settings import EVEN_BACKGROUND, CameraSettings
from psfusion_core.training.data.planes import Sample

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.5
LEAST_SPAN = 0.1
"""Enhancement never amplifies more than tenfold, so that an even scene does not become noise."""
STRONGEST_POWER = 3.0
"""Tones bend at most so far (and by the inverse): more would show the steps of 8-bit levels."""
READ_NOISE = 1.5
"""Electrons; common for sensors of robots' cameras."""


def _wide(parameter: Tensor) -> Tensor:
    return parameter[:, None, None, None]


def change_gain(image: Tensor, gain: Tensor, gamma: Tensor, offset: Tensor) -> Tensor:
    """y = gain x^gamma + offset; the exposure of a visible image has no offset."""
    return (image.pow(_wide(gamma)) * _wide(gain) + _wide(offset)).clamp(0.0, 1.0)


def darken(visible: Tensor, stops: Tensor) -> Tensor:
    """y = s(2^-stops s^-1(x)): 2^stops times less light; s is the transfer curve of sRGB (IEC 61966-2-1)."""
    return linear_rgb_to_rgb(rgb_to_linear_rgb(visible) * _wide(2.0**-stops)).clamp(0.0, 1.0)


def add_shot_noise(visible: Tensor, electrons: float, noise: Tensor) -> Tensor:
    """y = s((e + sqrt(e + r^2) n) / E), e = E s^-1(x): E electrons at white, r of read noise, s as in darken.

    Args:
        visible: (N, 3, H, W).
        electrons: E.
        noise: n, white noise of the same shape with standard deviation 1.
    """
    signal = rgb_to_linear_rgb(visible) * electrons
    noisy = (signal + (signal + READ_NOISE**2).sqrt() * noise) / electrons
    return linear_rgb_to_rgb(noisy.clamp(0.0, 1.0)).clamp(0.0, 1.0)


def add_glare(visible: Tensor, centres: Tensor, radii: Tensor, peaks: Tensor, haze: Tensor) -> Tensor:
    """y = (1 - haze) x + haze + sum over lamps of peak / (1 + (d / radius)^2)^2, d the distance to the lamp.

    Args:
        visible: (N, 3, H, W).
        centres: (N, K, 2), x and y of K lamps in pixels.
        radii: (N, K) in pixels; a lamp of peak 2 saturates a disc of two thirds of it.
        peaks: (N, K); 0 is no lamp.
        haze: (N,) share of veiling light in [0, 1].
    """
    height, width = visible.shape[-2:]
    dx = torch.arange(width, device=visible.device) - centres[..., 0, None]
    dy = torch.arange(height, device=visible.device) - centres[..., 1, None]
    squared = (dx.square()[..., None, :] + dy.square()[..., :, None]) / radii.square()[..., None, None]
    light = (peaks[..., None, None] / (1.0 + squared).square()).sum(dim=1, keepdim=True)
    return (torch.lerp(visible, torch.ones_like(visible), _wide(haze)) + light).clamp(0.0, 1.0)


def misregister(infrared: Tensor, shift: Tensor, degrees: Tensor) -> Tensor:
    """Rotate counter-clockwise about the centre, then shift right and down by (N, 2) pixels.

    Sampling is bilinear, and edges continue outwards.
    """
    height, width = infrared.shape[-2:]
    centre = torch.tensor([[(width - 1) / 2, (height - 1) / 2]], device=infrared.device).expand_as(shift)
    matrices = get_rotation_matrix2d(centre, degrees, torch.ones_like(shift))
    matrices[:, :, 2] += shift
    return warp_affine(infrared, matrices, (height, width), padding_mode="border").clamp(0.0, 1.0)


def enhance_contrast(infrared: Tensor, background: Tensor) -> Tensor:
    """y = ((x - l) / max(h - l, 0.1))^p, l and h the percentiles 1 and 99.5 of each image.

    p, 1 to 3, makes the median the given background, as dark as in MSRS (about 0.08 there, but 0.5 in road
    scenes of cameras without enhancement); a background that is dark already stays.
    """
    low, median, high = _percentiles(infrared, LOW_PERCENTILE, 50.0, HIGH_PERCENTILE)
    span = (high - low).clamp(min=LEAST_SPAN)
    power = _power((median - low) / span, background).clamp(1.0, STRONGEST_POWER)
    return ((infrared - _wide(low)) / _wide(span)).clamp(0.0, 1.0).pow(_wide(power))


def narrow_contrast(infrared: Tensor, background: Tensor, low: Tensor, span: Tensor) -> Tensor:
    """y = low + span x^p, p from 1/3 to 1 so that the median of x^p is the given grey background, or nearer.

    The inverse of enhancement: little contrast, and a background that is not dark.
    """
    (median,) = _percentiles(infrared, 50.0)
    power = _power(median, background).clamp(1.0 / STRONGEST_POWER, 1.0)
    return (infrared.pow(_wide(power)) * _wide(span) + _wide(low)).clamp(0.0, 1.0)


def _percentiles(infrared: Tensor, *percentiles: float) -> list[Tensor]:
    """Nearest ranks over every fourth pixel of every fourth row of each image, (N,) for each percentile."""
    levels = infrared[..., ::4, ::4].flatten(1).sort(dim=1).values
    return [levels[:, round(percentile / 100.0 * (levels.shape[1] - 1))] for percentile in percentiles]


def _power(level: Tensor, wanted: Tensor) -> Tensor:
    """p with level^p = wanted, both kept off 0 and 1."""
    return wanted.clamp(0.01, 0.99).log() / level.clamp(0.01, 0.99).log()


def add_infrared_noise(infrared: Tensor, white: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
    """y = x + white + columns + rows, (N, 1, H, W), (N, 1, 1, W) and (N, 1, H, 1)."""
    return (infrared + white + columns + rows).clamp(0.0, 1.0)


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
            white = _wide(dice.uniform(0.0, settings.infrared_noise, count)) * dice.normal(*image.shape)
            pattern = _wide(dice.uniform(0.0, settings.infrared_pattern, count))
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
