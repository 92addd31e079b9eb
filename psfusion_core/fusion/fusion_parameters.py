"""What decides how a pair is made and fused: names, defaults, ranges and units, as the node declares them.

`config/psfusion.yaml` documents them; the node has some more, which say how it works on a robot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psfusion_core.cameras.pairing import POLICIES, SyncSettings
from psfusion_core.cameras.thermal_gain import GainSettings, celsius_to_counts
from psfusion_core.registration import RegistrationSettings
from psfusion_core.registration.registration_settings import IDENTITY

GAIN_MODES = ("percentile", "fixed", "celsius")
POLARITIES = ("white_hot", "black_hot")

START, CONFIGURE, LIVE = "start", "configure", "live"
"""When a parameter is read: once, when the node starts; whenever it is configured; at any time."""


def parameter(
    name: str,
    default: str | float | tuple[float, ...],
    description: str,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    read: str = CONFIGURE,
) -> Any:
    """Make the field of one parameter.

    Args:
        name: in a parameter file, groups and name with points between them.
        default: its type is that of the parameter.
        description: with the unit.
        limits: least and greatest value.
        choices: the values that it may have.
        read: START, CONFIGURE or LIVE.
    """
    metadata = {
        "name": name,
        "description": description,
        "limits": limits,
        "choices": choices,
        "read": read,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class FusionParameters:
    """The same values give the same pairs and the same pictures, in the node and of a bag."""

    model: str = parameter("model", "psfusion_lite", "network: psfusion_lite or psfusion")
    weights: str = parameter("weights", "default", "default (shipped with the package) or a path")
    device: str = parameter("device", "auto", "auto, cpu, cuda or cuda:N")
    engine: str = parameter("engine", "auto", "torch, torch-compile, onnxruntime, tensorrt, or auto")
    precision: str = parameter("precision", "auto", "auto, fp32, fp16 or bf16")

    sync_policy: str = parameter(
        "sync.policy", "nearest", "nearest, or one of message_filters: approximate, exact",
        choices=POLICIES,
    )  # fmt: skip
    tolerance_ms: float = parameter(
        "sync.tolerance_ms", 50.0, "largest difference of the stamps of a pair, ms",
        limits=(0.0, 10_000.0), read=LIVE,
    )  # fmt: skip
    visible_offset_ms: float = parameter(
        "sync.visible_offset_ms", 0.0, "added to visible stamps before pairing, ms",
        limits=(-1e7, 1e7), read=LIVE,
    )  # fmt: skip
    infrared_offset_ms: float = parameter(
        "sync.infrared_offset_ms", 0.0, "added to infrared stamps before pairing, ms",
        limits=(-1e7, 1e7), read=LIVE,
    )  # fmt: skip
    queue_size: int = parameter(
        "sync.queue_size", 10, "frames that may wait for a partner, per camera", limits=(1, 1000)
    )

    frozen_after: float = parameter(
        "missing.frozen_after", 3.0, "of the very same image until a camera counts as frozen, s; 0 never",
        limits=(0.0, 3600.0),
    )  # fmt: skip

    gain_mode: str = parameter(
        "gain.mode", "percentile", "how 16-bit infrared becomes grey levels", choices=GAIN_MODES, read=LIVE
    )
    gain_polarity: str = parameter(
        "gain.polarity", "white_hot", "whether the camera shows hot as white or as black",
        choices=POLARITIES, read=LIVE,
    )  # fmt: skip
    gain_low_percentile: float = parameter(
        "gain.low_percentile", 1.0, "percentile that becomes black, %", limits=(0.0, 100.0), read=LIVE
    )
    gain_high_percentile: float = parameter(
        "gain.high_percentile", 99.0, "percentile that becomes white, %", limits=(0.0, 100.0), read=LIVE
    )
    gain_minimum_span: float = parameter(
        "gain.minimum_span", 256.0, "least range from black to white, counts",
        limits=(1.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    gain_smoothing: float = parameter(
        "gain.smoothing", 0.9, "weight of the range before in the new one; 0 is off",
        limits=(0.0, 0.999), read=LIVE,
    )  # fmt: skip
    gain_low: float = parameter(
        "gain.low", 0.0, "black in mode fixed (counts) and celsius (degrees)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    gain_high: float = parameter(
        "gain.high", 65_535.0, "white in mode fixed (counts) and celsius (degrees)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    celsius_scale: float = parameter(
        "gain.celsius_scale", 0.01, "degrees Celsius per count", limits=(1e-6, 100.0), read=LIVE
    )
    celsius_offset: float = parameter(
        "gain.celsius_offset", -273.15, "degrees Celsius of count 0", limits=(-1000.0, 1000.0), read=LIVE
    )

    registration_mode: str = parameter(
        "registration.mode", "none", "how the infrared is laid onto the visible image",
        choices=("none", "homography", "extrinsics"),
    )  # fmt: skip
    homography: tuple[float, ...] = parameter(
        "registration.homography", IDENTITY, "row by row, from visible to infrared pixels"
    )
    visible_size: tuple[int, ...] = parameter(
        "registration.visible_size", (0, 0), "width and height that the homography was made for; 0: any"
    )
    infrared_size: tuple[int, ...] = parameter(
        "registration.infrared_size", (0, 0), "width and height that the homography was made for; 0: any"
    )
    rotation: tuple[float, ...] = parameter(
        "registration.rotation", IDENTITY, "row by row, from visible to infrared camera coordinates"
    )
    translation: tuple[float, ...] = parameter(
        "registration.translation", (0.0, 0.0, 0.0), "from visible to infrared camera coordinates, m"
    )
    distance: float = parameter(
        "registration.distance", 10.0, "from the cameras at which the images coincide, m", limits=(0.01, 1e6)
    )

    overlay_opacity: float = parameter(
        "overlay.opacity", 0.5, "weight of the class colour in semantic/overlay",
        limits=(0.0, 1.0), read=LIVE,
    )  # fmt: skip

    def gain(self) -> GainSettings:
        """Return the settings of the thermal gain; ValueError where two of them contradict each other."""
        fixed: tuple[float, float] | None = None
        if self.gain_mode == "fixed":
            fixed = self.gain_low, self.gain_high
        elif self.gain_mode == "celsius":
            scale, offset = self.celsius_scale, self.celsius_offset
            fixed = (
                celsius_to_counts(self.gain_low, scale, offset),
                celsius_to_counts(self.gain_high, scale, offset),
            )
        return GainSettings(
            self.gain_low_percentile,
            self.gain_high_percentile,
            self.gain_minimum_span,
            self.gain_smoothing,
            fixed,
            self.gain_polarity,  # type: ignore[arg-type]  # one of the choices
        )

    def sync(self) -> SyncSettings:
        """Return the settings of the synchroniser."""
        return SyncSettings(
            policy=self.sync_policy,
            tolerance=round(self.tolerance_ms * 1e6),
            visible_offset=round(self.visible_offset_ms * 1e6),
            infrared_offset=round(self.infrared_offset_ms * 1e6),
            queue_size=self.queue_size,
        )

    def registration(self) -> RegistrationSettings:
        """Return how the infrared is laid onto the visible image; ValueError where that makes no sense."""
        return RegistrationSettings(
            mode=self.registration_mode,
            homography=self.homography,
            visible_size=self.visible_size,
            infrared_size=self.infrared_size,
            rotation=self.rotation,
            translation=self.translation,
            distance=self.distance,
        )

    def check(self) -> None:
        """Raise ValueError where values that are fine by themselves contradict each other."""
        self.gain()
        self.registration()
