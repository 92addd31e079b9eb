"""Small images for the tests of `psfusion evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_evaluation import HEIGHT, WIDTH, noise

from psfusion_core.cameras.image_files import write_image


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pairs a, b and c, grey, and images of a method, all different."""
    for seed, folder in enumerate(("vi", "ir", "fused")):
        (tmp_path / folder).mkdir()
        for number, name in enumerate("abc"):
            write_image(tmp_path / folder / f"{name}.png", noise(HEIGHT, WIDTH, seed=10 * seed + number))
    return tmp_path
