"""Disturbances of the infrared image that occur on a robot: low contrast, noise, misregistration."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

LEVELS = {
    "contrast": (1.0, 0.75, 0.5, 0.25, 0.1),
    "noise": (0.0, 5.0, 10.0, 20.0, 40.0),
    "shift": (0.0, 1.0, 2.0, 4.0, 8.0),
}
"""Kinds of disturbance, and their levels. The first level of each changes nothing."""

LABELS = {
    "contrast": "infrared contrast, times the original",
    "noise": "infrared noise, standard deviation in grey levels",
    "shift": "infrared shifted sideways, pixels",
}

CLEAN = "clean"
"""Name of the disturbances that change nothing."""


@dataclass(frozen=True)
class Disturbance:
    """One kind of disturbance at one level.

    Attributes:
        kind: "contrast" (scaled by `level` about the mean of the image), "noise" (white, Gaussian, with a
            standard deviation of `level` grey levels) or "shift" (by `level` pixels to the right, with the
            edge repeated).
        level: The strength, in the unit of its kind.
    """

    kind: str
    level: float

    @property
    def is_none(self) -> bool:
        return self.level == LEVELS[self.kind][0]

    @property
    def name(self) -> str:
        """A name such as "noise 10". All levels that change nothing are "clean", and are measured once."""
        return CLEAN if self.is_none else f"{self.kind} {self.level:g}"

    def __call__(self, infrared: Image, pair: str) -> Image:
        """Disturb an image.

        Args:
            infrared: (H, W) uint8.
            pair: The name of the pair. It seeds the noise, which is the same at every level and in every run.

        Returns:
            (H, W) uint8, rounded and clipped to 0 to 255.
        """
        if self.is_none:
            return infrared
        if self.kind == "shift":
            columns = np.arange(infrared.shape[1]) - round(self.level)
            return np.ascontiguousarray(infrared[:, np.maximum(columns, 0)])
        levels = infrared.astype(np.float32)
        if self.kind == "contrast":
            mean = np.float32(infrared.mean())
            levels = mean + np.float32(self.level) * (levels - mean)
        else:
            random = np.random.default_rng(zlib.crc32(pair.encode()))
            levels += np.float32(self.level) * random.standard_normal(infrared.shape, np.float32)
        return np.asarray(np.rint(levels).clip(0.0, 255.0), np.uint8)


def all_disturbances() -> list[Disturbance]:
    """List every kind at every level. Levels that change nothing appear once."""
    every = [Disturbance(kind, level) for kind, levels in LEVELS.items() for level in levels]
    return every[:1] + [disturbance for disturbance in every if not disturbance.is_none]
