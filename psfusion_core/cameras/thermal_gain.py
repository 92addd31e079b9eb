"""Thermal gain: maps the 16-bit counts of a thermal camera to 8-bit grey levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

Polarity = Literal["white_hot", "black_hot"]
Infrared = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

EIGHT_BITS = (0.0, 255.0)
"""Black and white of 8-bit images."""

SAMPLES_PER_SIDE = 256
"""Percentiles are taken over a grid of about this many pixels per side; more would not change a level."""


@dataclass(frozen=True)
class GainSettings:
    """How counts become grey levels.

    Attributes:
        low_percentile: Percentile of the counts that becomes black, in [0, 100).
        high_percentile: Percentile of the counts that becomes white, in (low_percentile, 100].
        minimum_span: Smallest number of counts between black and white, > 0. With the default, 256, one count
            is at most one grey level, so that noise in a flat scene does not become hot spots.
        smoothing: Weight of the previous range in the new one, in [0, 1); 0 follows every frame at once.
        fixed_range: Counts of black and white; if given, nothing is measured.
        polarity: Polarity of the camera. If hot is dark (black_hot), grey levels are inverted, in 8-bit
            frames too, because the networks were trained with hot as bright.

    Raises:
        ValueError: A value is out of its range.
    """

    low_percentile: float = 1.0
    high_percentile: float = 99.0
    minimum_span: float = 256.0
    smoothing: float = 0.9
    fixed_range: tuple[float, float] | None = None
    polarity: Polarity = "white_hot"

    def __post_init__(self) -> None:
        if not 0.0 <= self.low_percentile < self.high_percentile <= 100.0:
            raise ValueError(
                f"expected gain percentiles 0 <= low < high <= 100, got {self.low_percentile} and "
                f"{self.high_percentile}: the usual ones are 1 and 99"
            )
        if not 0.0 < self.minimum_span < math.inf:
            raise ValueError(f"expected a minimum gain span over 0 counts, got {self.minimum_span}: try 256")
        if not 0.0 <= self.smoothing < 1.0:
            raise ValueError(f"expected gain smoothing in [0, 1), got {self.smoothing}: 0 turns it off")
        black, white = self.fixed_range or (0.0, 1.0)
        if not -math.inf < black < white < math.inf:
            raise ValueError(
                f"expected a fixed gain range with black below white, got {self.fixed_range}: swap them"
            )
        if self.polarity not in get_args(Polarity):
            raise ValueError(
                f"expected a gain polarity of {' or '.join(get_args(Polarity))}, got {self.polarity!r}"
                ": white_hot is the usual one"
            )


def celsius_to_counts(celsius: float, scale: float, offset: float) -> float:
    """Return the counts of a temperature, for cameras whose counts are temperatures.

    The temperature is celsius = scale * counts + offset. Usually the scale is 0.01 and the offset -273.15:
    counts are hundredths of a kelvin, as in the high resolution of FLIR's TLinear (tenths, 0.1, in the low).

    Args:
        celsius: Temperature, degrees Celsius.
        scale: Degrees of one count, > 0.
        offset: Degrees of zero counts.

    Returns:
        The counts, not rounded; they may be below 0 or over 65,535, as the ends of a `fixed_range` may.

    Raises:
        ValueError: The scale is not over 0, or a value is not finite.
    """
    if not (0.0 < scale < math.inf and math.isfinite(celsius) and math.isfinite(offset)):
        raise ValueError(
            "expected finite degrees, a scale over 0 degrees a count and a finite offset, "
            f"got {celsius}, {scale} and {offset}: the usual ones are 0.01 and -273.15"
        )
    return (celsius - offset) / scale


def stretch(infrared: Infrared, settings: GainSettings = GainSettings()) -> npt.NDArray[np.uint8]:
    """Map one infrared image to grey levels by its own range.

    Args:
        infrared: (H, W) uint16 counts, or uint8 grey levels, which need no range; white_hot grey levels are
            returned unchanged.
        settings: Settings of the gain; `smoothing` has no effect on a single image.

    Returns:
        (H, W) uint8.
    """
    return ThermalGain(settings)(infrared)


class GreyScale(NamedTuple):
    """How the intensities of one image become grey levels, 0 to 255.

    Attributes:
        black: Intensity that becomes 0.
        white: Intensity that becomes 255.
        inverts: True if the camera sends hot as dark, which becomes bright.
    """

    black: float
    white: float
    inverts: bool = False

    @property
    def factor(self) -> float:
        """Grey levels of one count, with the precision of the intensities (float32)."""
        return float(np.float32(255.0 / (self.white - self.black)))

    def __call__(self, infrared: Infrared) -> npt.NDArray[np.uint8]:
        """Map (H, W) uint8 or uint16 to uint8, as `unpack.grey_levels` maps tensors; copy only if needed."""
        if infrared.dtype == np.uint8 and self[:2] == EIGHT_BITS:
            return np.invert(infrared) if self.inverts else infrared  # type: ignore[return-value]
        levels = (infrared.astype(np.float32) - np.float32(self.black)) * np.float32(self.factor)
        np.clip(levels, 0.0, 255.0, out=levels)
        if self.inverts:
            np.subtract(255.0, levels, out=levels)
        return np.rint(levels, out=levels).astype(np.uint8)


class ThermalGain:
    """Maps the frames of one thermal camera to grey levels, with a range that changes smoothly.

    Attributes:
        settings: Settings of the gain; may be replaced at any time, from any thread.
    """

    def __init__(self, settings: GainSettings = GainSettings()) -> None:
        self.settings = settings
        self._range: tuple[float, float] | None = None

    def __call__(self, infrared: Infrared) -> npt.NDArray[np.uint8]:
        """Map the next frame, (H, W) uint16 or uint8, to (H, W) uint8; see `stretch`."""
        return self.follow(infrared)(infrared)

    def follow(self, pixels: npt.NDArray[Any]) -> GreyScale:
        """Update the range with the next frame, and return how the frame becomes grey levels.

        Args:
            pixels: (H, W) uint16 counts, or uint8 of any shape, because the range of uint8 is fixed.
        """
        settings = self.settings  # read once: another thread may replace it meanwhile
        inverts = settings.polarity == "black_hot"
        if pixels.dtype == np.uint8:
            return GreyScale(*EIGHT_BITS, inverts)
        self._range = settings.fixed_range or _follow(self._range, pixels, settings)
        return GreyScale(*(settings.fixed_range or _widen(self._range, settings.minimum_span)), inverts)

    def reset(self) -> None:
        """Forget the range, so that the next frame sets it."""
        self._range = None


def _follow(
    before: tuple[float, float] | None, counts: npt.NDArray[np.uint16], settings: GainSettings
) -> tuple[float, float]:
    """Return the range after the next image."""
    height, width = counts.shape
    sample = counts[:: max(1, height // SAMPLES_PER_SIDE), :: max(1, width // SAMPLES_PER_SIDE)]
    low, high = percentiles(sample, (settings.low_percentile, settings.high_percentile))
    if before is None:
        return low, high
    keep = settings.smoothing
    return keep * before[0] + (1.0 - keep) * low, keep * before[1] + (1.0 - keep) * high


def percentiles(counts: npt.NDArray[np.uint16], shares: tuple[float, ...]) -> tuple[float, ...]:
    """Return the same as `np.percentile`, by counting, in a fifth of the time.

    Args:
        counts: At least one count.
        shares: The percentiles, in [0, 100].
    """
    ranks = np.array(shares) / 100.0 * (counts.size - 1)
    below = np.cumsum(np.bincount(counts.ravel()))
    # The count of rank r is the smallest value that more than r counts do not exceed.
    low, high = (np.searchsorted(below, edge, side="right") for edge in (np.floor(ranks), np.ceil(ranks)))
    return tuple(float(value) for value in low + (high - low) * (ranks - np.floor(ranks)))


def _widen(limits: tuple[float, float], minimum_span: float) -> tuple[float, float]:
    missing = max(0.0, minimum_span - (limits[1] - limits[0])) / 2.0
    return limits[0] - missing, limits[1] + missing
