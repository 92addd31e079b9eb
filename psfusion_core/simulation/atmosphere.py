"""Light and temperatures of a time of day."""

from __future__ import annotations

import math
from dataclasses import dataclass

Color = tuple[float, float, float]


def _unit(x: float, y: float, z: float) -> Color:
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@dataclass(frozen=True)
class Atmosphere:
    """Everything that differs between day and night.

    Attributes:
        sun_direction: unit vector towards the sun, world axes.
        sun: radiance of a white surface that faces the sun.
        ambient: radiance of a white surface lit by the open sky.
        horizon, zenith: colour of the sky.
        cloud: colour of clouds, and how much of the sky they cover.
        haze: colour that distance fades to, and the distance in metres at which half is lost.
        exposure: factor from radiance to the sensor's scale.
        noise: standard deviation of shot noise after the square root of the signal.
        air: temperature of the air, degrees Celsius.
        ground_warmth: how much warmer sealed ground is than the air.
        solar_heating: degrees Celsius that full sun adds to a dark surface.
        sky_horizon, sky_zenith: apparent temperature of the sky.
        windows, lamps, headlights, tail_lights: radiances of lit things.
        window_heat: degrees Celsius by which the warmest windows exceed their wall.
    """

    sun_direction: Color
    sun: Color
    ambient: Color
    horizon: Color
    zenith: Color
    cloud: Color
    cloud_cover: float
    haze: Color
    haze_distance: float
    exposure: float
    noise: float
    air: float
    ground_warmth: float
    solar_heating: float
    sky_horizon: float
    sky_zenith: float
    windows: float
    lamps: float
    headlights: float
    tail_lights: float
    window_heat: float


ATMOSPHERES = {
    "day": Atmosphere(
        sun_direction=_unit(-0.55, 0.80, -0.42),
        sun=(1.28, 1.16, 0.98),
        ambient=(0.30, 0.36, 0.46),
        horizon=(0.66, 0.80, 0.98),
        zenith=(0.09, 0.24, 0.66),
        cloud=(1.30, 1.26, 1.20),
        cloud_cover=0.52,
        haze=(0.62, 0.70, 0.78),
        haze_distance=420.0,
        exposure=1.25,
        noise=0.004,
        air=14.0,
        ground_warmth=3.0,
        solar_heating=8.0,
        sky_horizon=4.0,
        sky_zenith=-28.0,
        windows=0.10,
        lamps=0.0,
        headlights=1.2,
        tail_lights=0.5,
        window_heat=3.0,
    ),
    "night": Atmosphere(
        sun_direction=(0.0, 1.0, 0.0),
        sun=(0.0, 0.0, 0.0),
        ambient=(0.0065, 0.0075, 0.011),
        horizon=(0.026, 0.022, 0.030),
        zenith=(0.0012, 0.0032, 0.0120),
        cloud=(0.024, 0.019, 0.019),
        cloud_cover=0.40,
        haze=(0.016, 0.015, 0.017),
        haze_distance=500.0,
        exposure=1.25,
        noise=0.012,
        air=7.0,
        ground_warmth=3.0,
        solar_heating=0.0,
        sky_horizon=-6.0,
        sky_zenith=-40.0,
        windows=0.85,
        lamps=16.0,
        headlights=28.0,
        tail_lights=2.6,
        window_heat=7.0,
    ),
}
"""By name of the time of day."""
