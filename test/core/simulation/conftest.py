from __future__ import annotations

import pytest

from psfusion_core.simulation import RoadScene, SimulatedFrame

HEIGHT, WIDTH = 120, 160


@pytest.fixture(scope="session")
def night() -> RoadScene:
    return RoadScene(seed=0, time_of_day="night", height=HEIGHT, width=WIDTH, infrared_bits=16)


@pytest.fixture(scope="session")
def day() -> RoadScene:
    return RoadScene(seed=0, time_of_day="day", height=HEIGHT, width=WIDTH)


@pytest.fixture(scope="session")
def night_drive(night: RoadScene) -> list[SimulatedFrame]:
    """Six seconds at two frames a second."""
    return [night.render(0.5 * k) for k in range(12)]
