"""The tiles every scene shares, painted once per process."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from psfusion_core.simulation.atlas import TextureAtlas
from psfusion_core.simulation.canvas import GLOSS, GLOW, Canvas
from psfusion_core.simulation.facade_textures import facade_tiles
from psfusion_core.simulation.foliage_textures import foliage_tiles
from psfusion_core.simulation.ground_textures import ground_tiles
from psfusion_core.simulation.vehicle_textures import vehicle_tiles

_SEED = 20230


@lru_cache(maxsize=1)
def texture_library() -> TextureAtlas:
    """Atlas of all tiles. Tile 0 is plain white and takes every property from its face."""
    rng = np.random.default_rng(_SEED)
    plain = Canvas(4)
    plain.texels[..., [GLOW, GLOSS]] = 255
    tiles = {"plain": plain.texels}
    tiles |= ground_tiles(rng) | facade_tiles(rng) | foliage_tiles(rng) | vehicle_tiles()
    return TextureAtlas(tiles)


def texture(name: str) -> int:
    """Number of a tile in the library, for `Surface.texture`."""
    return texture_library().index[name]
