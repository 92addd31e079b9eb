"""A texture tile while it is being painted: colour and the other surface channels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

RED, GREEN, BLUE, PAINT, GLOW, HEAT, GLOSS, ALPHA = range(8)
"""Channels. Colour is coded as the square root of linear reflectance. PAINT: how far the colour of the face
tints the texel. GLOW: share of light given off. HEAT: temperature offset, 128 is none. GLOSS: mirror-like
share (glass, varnish). ALPHA: opacity, used by cut-out sprites only."""

NO_HEAT = 128


class Canvas:
    """(size, size, 8) uint8 texels. Positions are fractions of the tile, x to the right and y down."""

    def __init__(self, size: int, rgb: tuple[int, int, int] = (255, 255, 255), paint: int = 255) -> None:
        self.size = size
        self.texels: npt.NDArray[np.uint8] = np.zeros((size, size, 8), np.uint8)
        self.texels[:] = (*rgb, paint, 0, NO_HEAT, 0, 255)

    def _fill(self, outline: npt.NDArray[np.float64], values: dict[int, int], radius: float = 0.0) -> None:
        """Blend `values` into the polygon `outline` (K, 2), or the disc of `radius` round its one point."""
        pixels = outline * self.size
        low = np.maximum(np.floor(pixels.min(axis=0) - radius * self.size).astype(int) - 2, 0)
        high = np.minimum(np.ceil(pixels.max(axis=0) + radius * self.size).astype(int) + 2, self.size)
        if (high <= low).any():
            return
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        fixed = np.rint((pixels - low - 0.5) * 16).astype(np.int32)
        if radius > 0.0:
            center = (int(fixed[0, 0]), int(fixed[0, 1]))
            cv2.circle(mask, center, round(radius * self.size * 16), 255, -1, cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
        weight = mask.astype(np.int32)
        region = self.texels[low[1] : high[1], low[0] : high[0]]
        for channel, value in values.items():
            old = region[..., channel].astype(np.int32)
            region[..., channel] = (old * (255 - weight) + value * weight + 127) // 255

    @staticmethod
    def _values(
        rgb: tuple[int, int, int] | None, paint: int, glow: int, heat: int, gloss: int
    ) -> dict[int, int]:
        values = {PAINT: paint, GLOW: glow, HEAT: NO_HEAT + heat, GLOSS: gloss}
        if rgb is not None:
            values |= {RED: rgb[0], GREEN: rgb[1], BLUE: rgb[2]}
        return values

    def polygon(
        self,
        points: list[tuple[float, float]],
        rgb: tuple[int, int, int] | None,
        *,
        paint: int = 0,
        glow: int = 0,
        heat: int = 0,
        gloss: int = 0,
    ) -> None:
        """Fill an antialiased polygon."""
        self._fill(np.array(points, np.float64), self._values(rgb, paint, glow, heat, gloss))

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, rgb: Any, **channels: int) -> None:
        """Fill an axis-aligned rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], rgb, **channels)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        rgb: tuple[int, int, int] | None,
        *,
        paint: int = 0,
        glow: int = 0,
        heat: int = 0,
        gloss: int = 0,
    ) -> None:
        """Fill an antialiased disc."""
        self._fill(np.array([(x, y)]), self._values(rgb, paint, glow, heat, gloss), radius)

    def shade(self, factor: npt.NDArray[np.float64]) -> None:
        """Multiply the colour by (size, size) factors."""
        shaded = self.texels[..., :3] * factor[..., None]
        self.texels[..., :3] = np.clip(shaded + 0.5, 0, 255).astype(np.uint8)

    def warm(self, offset: npt.NDArray[np.float64]) -> None:
        """Add (size, size) offsets to the heat channel."""
        warmed = self.texels[..., HEAT] + offset
        self.texels[..., HEAT] = np.clip(warmed + 0.5, 0, 255).astype(np.uint8)
