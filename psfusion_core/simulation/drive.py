"""A drive of some seconds, frame by frame, by night, by day, or first one and then the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from psfusion_core.simulation.scene import RoadScene, SimulatedFrame
from psfusion_core.simulation.simulated_camera import Camera

TimeOfDay = Literal["night", "day", "both"]


@dataclass(frozen=True)
class Drive:
    """What to render.

    Attributes:
        seconds: length of the drive.
        rate: frames a second.
        time_of_day: "both" is night in the first half and day in the second.
        height, width, seed, infrared_bits: see RoadScene.
    """

    seconds: float = 6.0
    rate: float = 10.0
    time_of_day: TimeOfDay = "both"
    height: int = 480
    width: int = 640
    seed: int = 0
    infrared_bits: Literal[8, 16] = 8

    def __post_init__(self) -> None:
        """Check the length.

        Raises:
            ValueError: `seconds` or `rate` is not positive, or there is less than one frame in the drive.
        """
        if not 0.0 < self.rate <= 1000.0:
            raise ValueError(f"rate must be above 0 and at most 1000 frames a second, got {self.rate}")
        if not 0.0 < self.seconds <= 86400.0:
            raise ValueError(f"seconds must be above 0 and at most 86400, got {self.seconds}")
        if len(self) < 1:
            raise ValueError(
                f"{self.seconds} s at {self.rate} frames a second hold no frame: use more of either"
            )

    def __len__(self) -> int:
        return round(self.seconds * self.rate)

    def scene(self, time_of_day: Literal["night", "day"]) -> RoadScene:
        """The street of this drive.

        Raises:
            ValueError: see RoadScene.
        """
        return RoadScene(self.seed, time_of_day, self.height, self.width, self.infrared_bits)

    @property
    def camera(self) -> Camera:
        """Intrinsics of both cameras."""
        return Camera(self.height, self.width)

    def frames(self) -> Iterator[tuple[int, SimulatedFrame]]:
        """Each frame with its time since the start in nanoseconds."""
        change = {"night": len(self), "day": 0, "both": (len(self) + 1) // 2}[self.time_of_day]
        scene = self.scene("night" if change > 0 else "day")
        for number in range(len(self)):
            if number == change and change > 0:
                scene = self.scene("day")
            yield round(number * 1e9 / self.rate), scene.render(number / self.rate)
