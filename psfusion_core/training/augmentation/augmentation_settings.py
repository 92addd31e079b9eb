"""Settings of the augmentation, part of the training recipe."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

EVEN_BACKGROUND = 0.3
"""Infrared images with a darker median count as enhanced, images with a brighter median do not."""


def _check(settings: GeometrySettings | CameraSettings, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise ValueError for a value out of range; by default probabilities are 0 to 1, others 0 or more."""
    for name, value in asdict(settings).items():
        default = (0.0, 1.0 if name.endswith("probability") else math.inf)
        low, high = ranges.get(name, default)
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; expected {low:g} to {high:g}")


@dataclass
class GeometrySettings:
    """Flips, turns, rotation, scale and crop.

    Attributes:
        flip: Mirror half of the items left to right.
        quarter_turns: Turn by a random multiple of 90 degrees, as in the paper. Off by default, because roads
            are at the bottom of images.
        rotation_degrees: Largest rotation in either direction.
        scale_min: Least magnification; at 0.5 or more bilinear sampling hardly aliases.
        scale_max: Largest magnification; scales are uniform in their logarithm.
        probability: Probability that an item is rotated and scaled; the other items keep their pixels.

    Raises:
        ValueError: A value is out of range.
    """

    flip: bool = True
    quarter_turns: bool = False
    rotation_degrees: float = 5.0
    scale_min: float = 0.8
    scale_max: float = 1.25
    probability: float = 0.5

    def __post_init__(self) -> None:
        _check(self, {"scale_min": (0.1, math.inf), "scale_max": (self.scale_min, math.inf)})


@dataclass
class CameraSettings:
    """Photometric variation; each effect meets an item with its probability, independently of the others.

    Image values are in [0, 1], and a stop is a factor of two.

    Attributes:
        exposure_probability: Probability of a visible gain and gamma.
        exposure_stops: Gain and gamma are within 2^-stops to 2^stops.
        darkness_probability: Probability of a dark visible image with shot and read noise.
        darkness_stops: Most stops by which light is dimmed; the least is half of them.
        darkness_electrons: Electrons of a white pixel in the sensor; fewer electrons make more noise.
        glare_probability: Probability of one or two lamps that saturate the visible image.
        glare_radius: Largest radius of a lamp, a fraction of the width.
        glare_haze: Largest share of veiling light, in [0, 1].
        misregistration_probability: Probability of a slightly shifted and rotated infrared image.
        misregistration_pixels: Largest shift along each axis.
        misregistration_degrees: Largest rotation about the centre.
        infrared_gain_probability: Probability of an infrared gain, offset and gamma.
        infrared_gain_stops: Gain and gamma are within 2^-stops to 2^stops.
        infrared_offset: Largest offset.
        enhancement_probability: Probability of infrared contrast enhanced as in MSRS, on a dark background.
        enhancement_background: Darkest target of the median, 0 to 0.3.
        narrowing_probability: Probability of low infrared contrast on a grey background.
        narrowing_background: Brightest target of the median, 0.3 to 1.
        narrowing_span: Least remaining span of the levels, in [0, 1].
        inversion_probability: Probability of black-hot polarity; 0 by default, as inputs must be white-hot.
        infrared_noise_probability: Probability of noise in the infrared.
        infrared_noise: Largest standard deviation of white noise.
        infrared_pattern: Largest standard deviation of fixed column noise, and of fixed row noise.

    Raises:
        ValueError: A value is out of range.
    """

    exposure_probability: float = 0.5
    exposure_stops: float = 0.4
    darkness_probability: float = 0.05
    darkness_stops: float = 5.0
    darkness_electrons: float = 1000.0
    glare_probability: float = 0.1
    glare_radius: float = 0.12
    glare_haze: float = 0.3
    misregistration_probability: float = 0.1
    misregistration_pixels: float = 2.0
    misregistration_degrees: float = 0.3
    infrared_gain_probability: float = 0.3
    infrared_gain_stops: float = 0.6
    infrared_offset: float = 0.2
    enhancement_probability: float = 0.15
    enhancement_background: float = 0.05
    narrowing_probability: float = 0.2
    narrowing_background: float = 0.6
    narrowing_span: float = 0.4
    inversion_probability: float = 0.0
    infrared_noise_probability: float = 0.25
    infrared_noise: float = 0.02
    infrared_pattern: float = 0.01

    def __post_init__(self) -> None:
        ranges = {
            "darkness_electrons": (1.0, math.inf),
            "glare_radius": (0.001, 1.0),
            "glare_haze": (0.0, 1.0),
            "enhancement_background": (0.0, EVEN_BACKGROUND),
            "narrowing_background": (EVEN_BACKGROUND, 1.0),
            "narrowing_span": (0.0, 1.0),
        }
        _check(self, ranges)
