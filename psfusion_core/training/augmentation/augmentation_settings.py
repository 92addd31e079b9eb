"""How strongly training batches are varied; part of the training configuration."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

EVEN_BACKGROUND = 0.3
"""An infrared image with a darker median counts as enhanced, one with a brighter median as not."""


def _check(settings: GeometrySettings | CameraSettings, ranges: dict[str, tuple[float, float]]) -> None:
    """Raise ValueError for a value out of its range; unnamed, a probability is 0 to 1, others 0 or more."""
    for name, value in asdict(settings).items():
        default = (0.0, 1.0 if name.endswith("probability") else math.inf)
        low, high = ranges.get(name, default)
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; expected {low:g} to {high:g}")


@dataclass
class GeometrySettings:
    """Flips, turns, rotation, scale and crop.

    Attributes:
        flip: mirror half of the items left to right.
        quarter_turns: turn by a random multiple of 90 degrees, as the paper does; off, as roads lie below.
        rotation_degrees: rotation is drawn from -this to this.
        scale_min: least magnification; at 0.5 or more bilinear sampling hardly aliases.
        scale_max: largest magnification; scales are drawn evenly in their logarithm.
        probability: how often an item is rotated and scaled; the others keep their pixels as they are.

    Raises:
        ValueError: a value out of its range.
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
    """What cameras do to images; each effect meets an item with its probability, independently of the others.

    Image values are in [0, 1], sizes are fractions of the crop's width or pixels, a stop is a factor of two.

    Attributes:
        exposure_probability: of a visible gain and gamma.
        exposure_stops: both lie within 2^-stops to 2^stops.
        darkness_probability: of a dark visible image with shot and read noise.
        darkness_stops: light is dimmed by half of these stops to all of them.
        darkness_electrons: electrons of a white pixel in the sensor; fewer make more noise.
        glare_probability: of one or two lamps that saturate the visible image.
        glare_radius: of a lamp at most, a fraction of the width.
        glare_haze: share of veiling light at most, in [0, 1].
        misregistration_probability: of an infrared image a little out of place.
        misregistration_pixels: shift at most, along each axis.
        misregistration_degrees: rotation about the centre at most.
        infrared_gain_probability: of an infrared gain, offset and gamma.
        infrared_gain_stops: gain and gamma lie within 2^-stops to 2^stops.
        infrared_offset: added at most.
        enhancement_probability: of infrared contrast enhanced as in MSRS, on a dark background.
        enhancement_background: darkest median that the power is chosen for, 0 to 0.3.
        narrowing_probability: of narrow infrared contrast on a grey background, the inverse of enhancement.
        narrowing_background: brightest median that the power is chosen for, 0.3 to 1.
        narrowing_span: least span that is left of the levels, in [0, 1].
        inversion_probability: of black-hot polarity; 0, as cameras are asked to give white-hot images.
        infrared_noise_probability: of noise in the infrared.
        infrared_noise: standard deviation of white noise at most.
        infrared_pattern: standard deviation of fixed column noise, and of row noise, at most.

    Raises:
        ValueError: a value out of its range.
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
