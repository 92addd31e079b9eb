"""The node's parameters: names, defaults, ranges and units; `config/psfusion.yaml` documents them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psfusion_core.recovery import FALLBACKS
from psfusion_core.registration import RegistrationSettings
from psfusion_core.registration.settings import IDENTITY
from psfusion_core.stream.gain import GainSettings, celsius_to_counts
from psfusion_ros.inputs import InputSettings
from psfusion_ros.missing import POLICIES as MISSING_POLICIES
from psfusion_ros.pairing_policies import POLICIES as SYNC_POLICIES
from psfusion_ros.qos import INPUT_KINDS
from psfusion_ros.subscription import TRANSPORTS, SubscriptionSettings
from psfusion_ros.synchroniser import SyncSettings

GAIN_MODES = ("percentile", "fixed", "celsius")
POLARITIES = ("white_hot", "black_hot")

START, CONFIGURE, LIVE = "start", "configure", "live"
"""When a parameter is read: once, when the node starts; whenever it is configured; at any time."""


def _parameter(
    name: str,
    default: str | float | tuple[float, ...],
    description: str,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    read: str = CONFIGURE,
) -> Any:
    metadata = {
        "name": name,
        "description": description,
        "limits": limits,
        "choices": choices,
        "read": read,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parameters:
    """What the node works with; `psfusion_ros.live_parameters` declares and follows it."""

    autostart: bool = _parameter("autostart", True, "configure and activate by itself", read=START)
    enabled: bool = _parameter("enabled", True, "fuse; ~/set_enabled sets the same", read=LIVE)

    model: str = _parameter("model", "psfusion_lite", "network: psfusion_lite or psfusion")
    weights: str = _parameter("weights", "default", "default (shipped with the package) or a path")
    device: str = _parameter("device", "auto", "auto, cpu, cuda or cuda:N")
    engine: str = _parameter("engine", "auto", "torch, torch-compile, onnxruntime, or auto")
    precision: str = _parameter("precision", "auto", "auto, fp32, fp16 or bf16")
    fallback: str = _parameter(
        "out_of_memory.fallback", "cpu", "what to do when memory runs out twice in a row", choices=FALLBACKS
    )
    retry_after: float = _parameter(
        "out_of_memory.retry_after", 30.0, "from the fallback to another try of the first engine, s",
        limits=(1.0, 3600.0),
    )  # fmt: skip

    sync_policy: str = _parameter(
        "sync.policy", "nearest", "nearest, or one of message_filters: approximate, exact",
        choices=SYNC_POLICIES,
    )  # fmt: skip
    tolerance_ms: float = _parameter(
        "sync.tolerance_ms", 50.0, "largest difference of the stamps of a pair, ms",
        limits=(0.0, 10_000.0), read=LIVE,
    )  # fmt: skip
    visible_offset_ms: float = _parameter(
        "sync.visible_offset_ms", 0.0, "added to visible stamps before pairing, ms",
        limits=(-1e7, 1e7), read=LIVE,
    )  # fmt: skip
    infrared_offset_ms: float = _parameter(
        "sync.infrared_offset_ms", 0.0, "added to infrared stamps before pairing, ms",
        limits=(-1e7, 1e7), read=LIVE,
    )  # fmt: skip
    queue_size: int = _parameter(
        "sync.queue_size", 10, "frames that may wait for a partner, per camera", limits=(1, 1000)
    )

    missing_policy: str = _parameter(
        "missing.policy", "none", "whose images to pass through while the other camera is missing",
        choices=MISSING_POLICIES, read=LIVE,
    )  # fmt: skip
    missing_timeout: float = _parameter(
        "missing.timeout", 1.0, "without a usable image until a camera is missing, s",
        limits=(0.05, 60.0), read=LIVE,
    )  # fmt: skip
    frozen_after: float = _parameter(
        "missing.frozen_after", 3.0, "of the very same image until a camera counts as frozen, s; 0 never",
        limits=(0.0, 3600.0),
    )  # fmt: skip

    transport: str = _parameter(
        "transport", "auto", "how images come: auto, raw (Image) or compressed (CompressedImage)",
        choices=TRANSPORTS,
    )  # fmt: skip
    qos_input: str = _parameter(
        "qos.input", "sensor_data", "QoS of the image subscriptions", choices=INPUT_KINDS
    )
    qos_depth: int = _parameter("qos.depth", 5, "depth of the image subscriptions, frames", limits=(1, 1000))

    gain_mode: str = _parameter(
        "gain.mode", "percentile", "how 16-bit infrared becomes grey levels", choices=GAIN_MODES, read=LIVE
    )
    gain_polarity: str = _parameter(
        "gain.polarity", "white_hot", "whether the camera shows hot as white or as black",
        choices=POLARITIES, read=LIVE,
    )  # fmt: skip
    gain_low_percentile: float = _parameter(
        "gain.low_percentile", 1.0, "percentile that becomes black, %", limits=(0.0, 100.0), read=LIVE
    )
    gain_high_percentile: float = _parameter(
        "gain.high_percentile", 99.0, "percentile that becomes white, %", limits=(0.0, 100.0), read=LIVE
    )
    gain_minimum_span: float = _parameter(
        "gain.minimum_span", 256.0, "least range from black to white, counts",
        limits=(1.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    gain_smoothing: float = _parameter(
        "gain.smoothing", 0.9, "weight of the range before in the new one; 0 is off",
        limits=(0.0, 0.999), read=LIVE,
    )  # fmt: skip
    gain_low: float = _parameter(
        "gain.low", 0.0, "black in mode fixed (counts) and celsius (degrees)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    gain_high: float = _parameter(
        "gain.high", 65_535.0, "white in mode fixed (counts) and celsius (degrees)",
        limits=(-300.0, 65_535.0), read=LIVE,
    )  # fmt: skip
    celsius_scale: float = _parameter(
        "gain.celsius_scale", 0.01, "degrees Celsius per count", limits=(1e-6, 100.0), read=LIVE
    )
    celsius_offset: float = _parameter(
        "gain.celsius_offset", -273.15, "degrees Celsius of count 0", limits=(-1000.0, 1000.0), read=LIVE
    )

    registration_mode: str = _parameter(
        "registration.mode", "none", "how the infrared is laid onto the visible image",
        choices=("none", "homography", "extrinsics"),
    )  # fmt: skip
    homography: tuple[float, ...] = _parameter(
        "registration.homography", IDENTITY, "row by row, from visible to infrared pixels"
    )
    visible_size: tuple[int, ...] = _parameter(
        "registration.visible_size", (0, 0), "width and height that the homography was made for; 0: any"
    )
    infrared_size: tuple[int, ...] = _parameter(
        "registration.infrared_size", (0, 0), "width and height that the homography was made for; 0: any"
    )
    rotation: tuple[float, ...] = _parameter(
        "registration.rotation", IDENTITY, "row by row, from visible to infrared camera coordinates"
    )
    translation: tuple[float, ...] = _parameter(
        "registration.translation", (0.0, 0.0, 0.0), "from visible to infrared camera coordinates, m"
    )
    distance: float = _parameter(
        "registration.distance", 10.0, "from the cameras at which the images coincide, m", limits=(0.01, 1e6)
    )

    overlay_opacity: float = _parameter(
        "overlay.opacity", 0.5, "weight of the class colour in semantic/overlay",
        limits=(0.0, 1.0), read=LIVE,
    )  # fmt: skip

    diagnostics_period: float = _parameter(
        "diagnostics.period", 1.0, "time between messages on /diagnostics, s", limits=(0.1, 60.0), read=START
    )
    visible_rate: float = _parameter(
        "diagnostics.visible_rate", 0.0, "expected visible images, Hz; 0: any",
        limits=(0.0, 1000.0), read=LIVE,
    )  # fmt: skip
    infrared_rate: float = _parameter(
        "diagnostics.infrared_rate", 0.0, "expected infrared images, Hz; 0: any",
        limits=(0.0, 1000.0), read=LIVE,
    )  # fmt: skip
    output_rate: float = _parameter(
        "diagnostics.output_rate", 0.0, "expected fused images, Hz; 0: any", limits=(0.0, 1000.0), read=LIVE
    )
    rate_margin: float = _parameter(
        "diagnostics.rate_margin", 0.2, "share below the expected rate that is still fine",
        limits=(0.0, 1.0), read=LIVE,
    )  # fmt: skip
    latency_warning_ms: float = _parameter(
        "diagnostics.latency_warning_ms", 0.0, "95th percentile of latency that is a warning, ms; 0: none",
        limits=(0.0, 1e6), read=LIVE,
    )  # fmt: skip
    latency_error_ms: float = _parameter(
        "diagnostics.latency_error_ms", 0.0, "95th percentile of latency that is an error, ms; 0: none",
        limits=(0.0, 1e6), read=LIVE,
    )  # fmt: skip
    temperature_warning: float = _parameter(
        "diagnostics.temperature_warning", 90.0, "device temperature that is a warning, degrees Celsius",
        limits=(0.0, 200.0), read=LIVE,
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

    def inputs(self) -> InputSettings:
        """Return how the images are subscribed to and checked."""
        subscription = SubscriptionSettings(self.transport, self.qos_input, self.qos_depth)
        return InputSettings(subscription, self.frozen_after)

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
        if 0 < self.latency_error_ms < self.latency_warning_ms:
            raise ValueError(
                "expected diagnostics.latency_error_ms not below latency_warning_ms, got "
                f"{self.latency_error_ms:g} and {self.latency_warning_ms:g}: swap them"
            )
