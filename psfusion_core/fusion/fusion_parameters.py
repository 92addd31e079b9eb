"""The parameters that decide how pairs are formed and fused, as the node declares them.

`psfusion_core.fusion.node_parameters` adds the node's other parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from psfusion_core.cameras.pairing import SyncSettings
from psfusion_core.cameras.thermal_gain import GainSettings, celsius_to_counts
from psfusion_core.registration import RegistrationSettings
from psfusion_core.registration.registration_settings import IDENTITY

START, CONFIGURE, LIVE = "start", "configure", "live"
"""When the node reads a parameter: once at its start, whenever it is configured, or at any time."""


def parameter(
    name: str,
    default: str | float | tuple[float, ...],
    description: str,
    details: str = "",
    unit: str = "",
    limits: tuple[float, float] | None = None,
    choices: Mapping[str, str] = MappingProxyType({}),
    read: str = CONFIGURE,
    group: str = "",
) -> Any:
    """Declare one parameter as a field of a dataclass; the node, config/psfusion.yaml and the docs use this.

    Args:
        name: Name in a parameter file, with a point after each group.
        default: Default value. Its type is the type of the parameter.
        description: One phrase without a full stop.
        details: Further sentences.
        unit: Unit of the value and of the limits.
        limits: Smallest and largest value.
        choices: Allowed values, and what each one means.
        read: START, CONFIGURE or LIVE.
        group: Heading in the docs; the first part of the name if not given.
    """
    metadata = {
        "name": name,
        "description": description,
        "details": details,
        "unit": unit,
        "limits": limits,
        "choices": choices,
        "read": read,
        "group": group or name.partition(".")[0],
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class FusionParameters:
    """The parameters that decide the result: equal values, equal pictures, live and from bags."""

    # fmt: off
    model: str = parameter(
        "model", "psfusion_lite", "Network: psfusion_lite, or psfusion (the published network, much slower)",
        group="engine",
    )
    weights: str = parameter(
        "weights", "default", "Weights: default (shipped with the package) or the path of a checkpoint",
        group="engine",
    )
    device: str = parameter(
        "device", "auto", "Device: auto, cpu, cuda or cuda:N", group="engine",
        details="auto is the GPU if there is one, else the CPU.",
    )
    engine: str = parameter(
        "engine", "auto", "Engine: auto, torch, torch-compile, onnxruntime or tensorrt", group="engine",
        details="auto is onnxruntime on a CPU if ONNX Runtime is installed, else torch. onnxruntime writes a "
        "file once for each set of weights, which takes half a minute.",
    )
    precision: str = parameter(
        "precision", "auto", "Precision: auto, fp32, fp16 or bf16", group="engine",
        details="auto is fp16 on a GPU and fp32 on the CPU.",
    )

    sync_policy: str = parameter(
        "sync.policy", "nearest", "How frames are paired",
        choices={
            "nearest": "each frame is used once, with its nearest partner; the newest pair is fused first",
            "approximate": "ApproximateTimeSynchronizer of message_filters, if that is installed",
            "exact": "TimeSynchronizer of message_filters, if that is installed",
        },
    )
    tolerance_ms: float = parameter(
        "sync.tolerance_ms", 50.0, "Largest difference between the stamps of a pair",
        unit="ms", limits=(0.0, 10_000.0), read=LIVE,
    )
    visible_offset_ms: float = parameter(
        "sync.visible_offset_ms", 0.0, "Time added to visible stamps before pairing",
        unit="ms", limits=(-1e7, 1e7), read=LIVE, details="Outputs keep the stamp of the camera.",
    )
    infrared_offset_ms: float = parameter(
        "sync.infrared_offset_ms", 0.0, "Time added to infrared stamps before pairing",
        unit="ms", limits=(-1e7, 1e7), read=LIVE,
    )
    queue_size: int = parameter(
        "sync.queue_size", 10, "Length of the queue for frames that wait for a partner, per camera",
        unit="frames", limits=(1, 1000),
    )

    frozen_after: float = parameter(
        "missing.frozen_after", 3.0, "A camera counts as frozen if its image stays identical for this long",
        unit="s", limits=(0.0, 3600.0),
        details="0 turns this off; use 0 for still images. An image with a single grey level never counts as "
        "frozen: cameras send such images at night.",
    )

    gain_mode: str = parameter(
        "gain.mode", "percentile", "How 16-bit infrared is converted to grey levels", read=LIVE,
        choices={
            "percentile": "black and white are measured in the images",
            "fixed": "gain.low and gain.high are black and white in counts",
            "celsius": "gain.low and gain.high are black and white in degrees Celsius, for cameras whose "
            "counts are temperatures",
        },
    )
    gain_polarity: str = parameter(
        "gain.polarity", "white_hot", "How the infrared camera shows hot objects, in 8-bit images too",
        choices={"white_hot": "bright", "black_hot": "dark"}, read=LIVE,
    )
    gain_low_percentile: float = parameter(
        "gain.low_percentile", 1.0, "Percentile of the counts that becomes black in mode percentile",
        unit="%", limits=(0.0, 100.0), read=LIVE,
    )
    gain_high_percentile: float = parameter(
        "gain.high_percentile", 99.0, "Percentile of the counts that becomes white in mode percentile",
        unit="%", limits=(0.0, 100.0), read=LIVE,
    )
    gain_minimum_span: float = parameter(
        "gain.minimum_span", 256.0, "Smallest range from black to white in mode percentile",
        unit="counts", limits=(1.0, 65_535.0), read=LIVE, details="It keeps a flat scene flat.",
    )
    gain_smoothing: float = parameter(
        "gain.smoothing", 0.9, "Weight of the previous range from black to white in the new one",
        limits=(0.0, 0.999), read=LIVE, details="0 follows each frame.",
    )
    gain_low: float = parameter(
        "gain.low", 0.0, "Black in mode fixed (counts) or celsius (degrees Celsius)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )
    gain_high: float = parameter(
        "gain.high", 65_535.0, "White in mode fixed (counts) or celsius (degrees Celsius)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )
    celsius_scale: float = parameter(
        "gain.celsius_scale", 0.01, "Temperature difference per count",
        unit="degrees Celsius", limits=(1e-6, 100.0), read=LIVE,
        details="Temperature = celsius_scale * counts + celsius_offset.",
    )
    celsius_offset: float = parameter(
        "gain.celsius_offset", -273.15, "Temperature of count 0",
        unit="degrees Celsius", limits=(-1000.0, 1000.0), read=LIVE,
    )

    registration_mode: str = parameter(
        "registration.mode", "none", "How the infrared image is laid onto the visible image",
        choices={
            "none": "both show the same scene; the infrared image is scaled if its size differs",
            "homography": "for far scenes, or for one plane",
            "extrinsics": "for one working distance; needs camera_info of both cameras",
        },
    )
    homography: tuple[float, ...] = parameter(
        "registration.homography", IDENTITY, "3 x 3 matrix, row by row, from visible to infrared pixels"
    )
    visible_size: tuple[int, ...] = parameter(
        "registration.visible_size", (0, 0),
        "Width and height of visible images that the homography was made for",
        unit="pixels", details="[0, 0] accepts any size.",
    )
    infrared_size: tuple[int, ...] = parameter(
        "registration.infrared_size", (0, 0),
        "Width and height of infrared images that the homography was made for",
        unit="pixels", details="[0, 0] accepts any size.",
    )
    rotation: tuple[float, ...] = parameter(
        "registration.rotation", IDENTITY, "3 x 3 matrix R, row by row, from visible to infrared coordinates",
        details="p_infrared = R p_visible + t.",
    )
    translation: tuple[float, ...] = parameter(
        "registration.translation", (0.0, 0.0, 0.0), "Vector t from visible to infrared coordinates",
        unit="m", details="Coordinates are optical: x right, y down, z forward.",
    )
    distance: float = parameter(
        "registration.distance", 10.0, "Distance from the visible camera at which both images coincide",
        unit="m", limits=(0.01, 1e6), details="Used in mode extrinsics.",
    )

    overlay_opacity: float = parameter(
        "overlay.opacity", 0.5, "Weight of the class colour in semantic/overlay", limits=(0.0, 1.0), read=LIVE
    )
    # fmt: on

    def gain(self) -> GainSettings:
        """Return the settings of the thermal gain; ValueError if they contradict each other."""
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
        """Return how the infrared is laid onto the visible image; ValueError if that is impossible."""
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
        """Raise ValueError if values that are valid one by one contradict each other."""
        self.gain()
        self.registration()
