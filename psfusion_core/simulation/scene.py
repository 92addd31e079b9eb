"""A seeded road scene, rendered for a visible and an infrared camera at any time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from psfusion_core.simulation.atmosphere import ATMOSPHERES
from psfusion_core.simulation.exposure import expose, noise_tile
from psfusion_core.simulation.flares import add_flares, flares_in_sight
from psfusion_core.simulation.gbuffer import FaceTables, Samples, choose_samples, locate, resolve
from psfusion_core.simulation.ground_masks import ground_masks
from psfusion_core.simulation.infrared_sensor import automatic_gain, radiometric_counts
from psfusion_core.simulation.lights import lights_in_sight
from psfusion_core.simulation.raster import draw_faces
from psfusion_core.simulation.simulated_camera import Camera
from psfusion_core.simulation.sky import sky_values
from psfusion_core.simulation.stage import Stage, set_stage
from psfusion_core.simulation.texture_library import texture_library
from psfusion_core.simulation.thermal import apparent_temperature, infrared_optics
from psfusion_core.simulation.visible import visible_radiance
from psfusion_core.simulation.world import build_world

MIN_SIZE = 64


@dataclass(frozen=True)
class SimulatedFrame:
    """One moment seen by both cameras, pixel by pixel aligned.

    Attributes:
        visible: (H, W, 3) uint8 RGB.
        infrared: (H, W) uint8 with automatic gain, or uint16 counts of 0.04 K.
        label: (H, W) uint8 true class index, in the order of psfusion_core.models.classes.
        temperature_celsius: (H, W) float32 apparent temperature before the sensor's noise.
    """

    visible: npt.NDArray[np.uint8]
    infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    label: npt.NDArray[np.uint8]
    temperature_celsius: npt.NDArray[np.float32]


class RoadScene:
    """A drive along a procedural street.

    The same arguments and time give the same bytes on every machine and after any other frames, because pixel
    arithmetic is limited to operations that IEEE 754 rounds exactly, table look-ups, and OpenCV's integer
    drawing and filters.

    Args:
        seed: Determines the street, its traffic and its people; 0 or more.
        time_of_day: "night" or "day".
        height, width: image size in pixels, at least 64 each.
        infrared_bits: 8 (automatic gain) or 16 (radiometric counts).

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        seed: int = 0,
        time_of_day: Literal["night", "day"] = "night",
        height: int = 480,
        width: int = 640,
        infrared_bits: Literal[8, 16] = 8,
    ) -> None:
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, got {seed}")
        if time_of_day not in ATMOSPHERES:
            raise ValueError(f"time_of_day must be 'night' or 'day', got {time_of_day!r}")
        if height < MIN_SIZE or width < MIN_SIZE:
            raise ValueError(f"height and width must be at least {MIN_SIZE}, got {height} x {width}")
        if infrared_bits not in (8, 16):
            raise ValueError(f"infrared_bits must be 8 or 16, got {infrared_bits}")
        self.seed = seed
        self.time_of_day = time_of_day
        self.height = height
        self.width = width
        self.infrared_bits = infrared_bits
        self._sky = ATMOSPHERES[time_of_day]
        self._atlas = texture_library()
        self._world = build_world(seed, self._sky)
        rows, columns = np.arange(height) % 512, np.arange(width) % 512
        self._dither = 1.0 + 0.12 * np.clip(noise_tile()[rows[:, None], columns[None, :]], -2, 2).reshape(-1)

    @property
    def camera(self) -> Camera:
        """Intrinsics shared by both cameras (pose at time 0)."""
        return self._world.road.camera(0.0, self.height, self.width)

    def render(self, seconds: float) -> SimulatedFrame:
        """The scene after some seconds of driving.

        Args:
            seconds: time since the start of the drive, 0 or more.

        Raises:
            ValueError: `seconds` is negative or not finite.
        """
        if not math.isfinite(seconds) or seconds < 0.0:
            raise ValueError(f"seconds must be finite and 0 or more, got {seconds}")
        sky = self._sky
        stage = set_stage(self._world, seconds, self.height, self.width)
        buffer = draw_faces(stage.camera, stage.mesh, self._atlas)
        samples, outline = choose_samples(buffer)
        tables = FaceTables(stage.camera, stage.mesh)
        *radiance, temperature = (
            resolve(values, outline, self.height, self.width)
            for values in self._shade(stage, tables, samples, seconds)
        )
        faces = samples.face[: self.height * self.width].reshape(self.height, self.width)
        if sky.lamps > 0.0:
            add_flares(radiance, flares_in_sight(stage, sky), stage, tables, faces)
        rng = np.random.default_rng((self.seed, round(seconds * 1e6)))
        visible = expose(radiance, sky, rng)
        temperature = infrared_optics(temperature)
        counts = radiometric_counts(temperature, rng)
        infrared = counts if self.infrared_bits == 16 else automatic_gain(counts)
        labels = np.concatenate([np.zeros(1, np.uint8), stage.mesh.faces["surface"]["label"]])
        return SimulatedFrame(visible, infrared, labels.take(faces), temperature)

    def _shade(
        self, stage: Stage, tables: FaceTables, samples: Samples, seconds: float
    ) -> npt.NDArray[np.float32]:
        """(4, N) red, green and blue radiance and apparent temperature of the samples."""
        sky, camera = self._sky, stage.camera
        night = sky.lamps > 0.0
        masks = ground_masks(stage, None if night else sky.sun_direction)
        lights = lights_in_sight(stage) if night else []
        result = np.empty((4, len(samples)), np.float32)
        for part, block in samples.blocks():
            seen = result[:, part]
            gbuffer = locate(camera, tables, self._atlas, block, self._dither)
            radiance = visible_radiance(gbuffer, camera.position[1], masks, sky, lights)
            for row, values in zip(seen, radiance, strict=False):
                row[gbuffer.index] = values
            seen[3, gbuffer.index] = apparent_temperature(gbuffer, masks, sky)
            open_sky = np.flatnonzero(block.face == 0)
            seen[:, open_sky] = sky_values(camera, block, open_sky, sky, seconds)
        return result
