"""All texture tiles in one array with their reduced versions, and filtered look-up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LANES = np.uint64(0x00FF00FF00FF00FF)
_EIGHT = np.uint64(8)


def _halve(texels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    wide = texels.astype(np.uint16)
    total = wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)


def _blend(
    first: npt.NDArray[np.uint64], second: npt.NDArray[np.uint64], weight: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Interpolate four 8-bit lanes (16 bits apart) at once; weight 0..256 of the second."""
    return ((first * (np.uint64(256) - weight) + second * weight) >> _EIGHT) & _LANES


class TextureAtlas:
    """Square power-of-two tiles of eight 8-bit channels (see canvas.py), each packed into a uint64.

    Args:
        tiles: name to (size, size, 8) uint8.
    """

    def __init__(self, tiles: dict[str, npt.NDArray[np.uint8]]) -> None:
        self.index = {name: number for number, name in enumerate(tiles)}
        self.alpha: list[list[npt.NDArray[np.bool_]]] = []
        self.size_exponent = np.zeros(len(tiles), np.int32)
        levels: list[npt.NDArray[np.uint64]] = []
        self._offsets = np.zeros((len(tiles), 16), np.int32)
        total = 0
        for number, tile in enumerate(tiles.values()):
            exponent = int(tile.shape[0]).bit_length() - 1
            self.size_exponent[number] = exponent
            self.alpha.append([])
            for level in range(16):
                if level <= exponent:
                    packed = np.ascontiguousarray(tile).view("<u8").reshape(-1)
                    self._offsets[number, level:] = total
                    levels.append(packed.astype(np.uint64))
                    self.alpha[number].append(tile[..., 7] >= 112)
                    total += packed.size
                    tile = _halve(tile) if level < exponent else tile
        self._texels = np.concatenate(levels)

    def sample(
        self,
        texture: npt.NDArray[np.int32],
        u: npt.NDArray[np.float32],
        v: npt.NDArray[np.float32],
        footprint: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.uint8]:
        """Bilinear texels at tile positions, from the level that suits the pixel's size on the surface.

        Args:
            texture: (N,) tile numbers.
            u, v: (N,) position in tiles, x right and y down; wraps around.
            footprint: (N,) pixel spacing on the surface in tiles.

        Returns:
            (N, 8) uint8 channel values.
        """
        exponent = self.size_exponent.take(texture)
        # the binary exponent of the footprint in texels is the number of halvings
        level = (footprint.view(np.int32) >> np.int32(23)) + (exponent - np.int32(126))
        level = np.minimum(np.maximum(level, np.int32(0)), exponent - np.int32(1))
        offset = self._offsets.take(texture * np.int32(16) + level)
        exponent = exponent - level
        mask = (np.int32(1) << exponent) - np.int32(1)
        steps = ((exponent + np.int32(127 + 8)) << np.int32(23)).view(np.float32)  # 2 ** (exponent + 8)

        def split(position: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
            fixed = (position * steps).astype(np.int32) - np.int32(128)
            return fixed >> np.int32(8), (fixed & np.int32(255)).astype(np.uint64)

        column, weight_x = split(u)
        row, weight_y = split(v)
        left, right = column & mask, (column + np.int32(1)) & mask
        top = offset + ((row & mask) << exponent)
        bottom = offset + (((row + np.int32(1)) & mask) << exponent)
        corners = [self._texels.take(line + side) for line in (top, bottom) for side in (left, right)]
        result = np.zeros(len(u), np.uint64)
        for shift in (np.uint64(0), _EIGHT):
            lanes = [(corner >> shift) & _LANES for corner in corners]
            upper = _blend(lanes[0], lanes[1], weight_x)
            lower = _blend(lanes[2], lanes[3], weight_x)
            result |= _blend(upper, lower, weight_y) << shift
        return result.astype("<u8").view(np.uint8).reshape(-1, 8)
