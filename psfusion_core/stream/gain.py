"""Thermal gain: from the 16-bit counts of a thermal camera to 8-bit grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Infrared = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

SAMPLES_PER_SIDE = 256
"""Percentiles are taken over a grid of about this many pixels a side; more would not change a level."""


@dataclass(frozen=True)
class GainSettings:
    """How counts become grey levels.

    Attributes:
        low_percentile: percentile of the counts that becomes black, in [0, 100).
        high_percentile: percentile of the counts that becomes white, in (low_percentile, 100].
        minimum_span: least counts between black and white, > 0. The default, 256, never amplifies one count
            beyond one grey level, so that a flat scene shows no invented hot spots.
        smoothing: weight of the range before in the new one, in [0, 1); 0 follows every frame at once.
        fixed_range: counts of black and white; where given, nothing is measured.

    Raises:
        ValueError: a value out of its range.
    """

    low_percentile: float = 1.0
    high_percentile: float = 99.0
    minimum_span: float = 256.0
    smoothing: float = 0.9
    fixed_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.low_percentile < self.high_percentile <= 100.0:
            raise ValueError(
                f"expected gain percentiles 0 <= low < high <= 100, got {self.low_percentile} and "
                f"{self.high_percentile}: the usual ones are 1 and 99"
            )
        if not self.minimum_span > 0.0:
            raise ValueError(f"expected a minimum gain span over 0 counts, got {self.minimum_span}: try 256")
        if not 0.0 <= self.smoothing < 1.0:
            raise ValueError(f"expected gain smoothing in [0, 1), got {self.smoothing}: 0 turns it off")
        if self.fixed_range is not None and not self.fixed_range[0] < self.fixed_range[1]:
            raise ValueError(
                f"expected a fixed gain range with black below white, got {self.fixed_range}: swap them"
            )


def stretch(infrared: Infrared, settings: GainSettings = GainSettings()) -> npt.NDArray[np.uint8]:
    """Map one infrared image to grey levels by its own range.

    Args:
        infrared: (H, W) uint16 counts, or uint8, which is returned as it is.
        settings: how; `smoothing` has no part in a single image.

    Returns:
        (H, W) uint8.
    """
    return ThermalGain(settings)(infrared)


class ThermalGain:
    """Maps the frames of one thermal camera to grey levels, with a range that moves smoothly."""

    def __init__(self, settings: GainSettings = GainSettings()) -> None:
        self.settings = settings
        self._range: tuple[float, float] | None = None

    def __call__(self, infrared: Infrared) -> npt.NDArray[np.uint8]:
        """Map the next frame, (H, W) uint16, to (H, W) uint8; a uint8 frame is returned as it is."""
        if infrared.dtype == np.uint8:
            return infrared  # type: ignore[return-value]
        black, white = self.settings.fixed_range or self._follow(infrared)
        levels = (infrared.astype(np.float32) - np.float32(black)) * np.float32(255.0 / (white - black))
        np.clip(levels, 0.0, 255.0, out=levels)
        return np.rint(levels, out=levels).astype(np.uint8)

    def reset(self) -> None:
        """Forget the range: the next frame sets it."""
        self._range = None

    def _follow(self, infrared: Infrared) -> tuple[float, float]:
        black, white = _measure(infrared, self.settings)
        if self._range is not None:
            keep = self.settings.smoothing
            black = keep * self._range[0] + (1.0 - keep) * black
            white = keep * self._range[1] + (1.0 - keep) * white
        self._range = black, white
        return self._range


def _measure(infrared: Infrared, settings: GainSettings) -> tuple[float, float]:
    """Return the counts of black and white for one image, at least `minimum_span` apart."""
    height, width = infrared.shape
    sample = infrared[:: max(1, height // SAMPLES_PER_SIDE), :: max(1, width // SAMPLES_PER_SIDE)]
    low, high = np.percentile(sample, (settings.low_percentile, settings.high_percentile))
    missing = max(0.0, settings.minimum_span - float(high - low)) / 2.0
    return float(low) - missing, float(high) + missing
