"""The node's parameters: names, defaults, ranges and units; `config/psfusion.yaml` documents them."""

from __future__ import annotations

from dataclasses import dataclass

from psfusion_core.fusion.fusion_parameters import CONFIGURE, LIVE, START, FusionParameters, parameter
from psfusion_core.fusion.recovery import FALLBACKS
from psfusion_ros.image_input import InputSettings
from psfusion_ros.missing_camera import POLICIES as MISSING_POLICIES
from psfusion_ros.qos import INPUT_KINDS
from psfusion_ros.subscription import TRANSPORTS, SubscriptionSettings

__all__ = ["CONFIGURE", "LIVE", "START", "Parameters"]


@dataclass(frozen=True)
class Parameters(FusionParameters):
    """What the node works with; `psfusion_ros.live_parameters` declares and follows it."""

    autostart: bool = parameter("autostart", True, "configure and activate by itself", read=START)
    enabled: bool = parameter("enabled", True, "fuse; ~/set_enabled sets the same", read=LIVE)

    fallback: str = parameter(
        "out_of_memory.fallback", "cpu", "what to do when memory runs out twice in a row", choices=FALLBACKS
    )
    retry_after: float = parameter(
        "out_of_memory.retry_after", 30.0, "from the fallback to another try of the first engine, s",
        limits=(1.0, 3600.0),
    )  # fmt: skip

    missing_policy: str = parameter(
        "missing.policy", "none", "whose images to pass through while the other camera is missing",
        choices=MISSING_POLICIES, read=LIVE,
    )  # fmt: skip
    missing_timeout: float = parameter(
        "missing.timeout", 1.0, "without a usable image until a camera is missing, s",
        limits=(0.05, 60.0), read=LIVE,
    )  # fmt: skip

    transport: str = parameter(
        "transport", "auto", "how images come: auto, raw (Image) or compressed (CompressedImage)",
        choices=TRANSPORTS,
    )  # fmt: skip
    qos_input: str = parameter(
        "qos.input", "sensor_data", "QoS of the image subscriptions", choices=INPUT_KINDS
    )
    qos_depth: int = parameter("qos.depth", 5, "depth of the image subscriptions, frames", limits=(1, 1000))

    diagnostics_period: float = parameter(
        "diagnostics.period", 1.0, "time between messages on /diagnostics, s", limits=(0.1, 60.0), read=START
    )
    visible_rate: float = parameter(
        "diagnostics.visible_rate", 0.0, "expected visible images, Hz; 0: any",
        limits=(0.0, 1000.0), read=LIVE,
    )  # fmt: skip
    infrared_rate: float = parameter(
        "diagnostics.infrared_rate", 0.0, "expected infrared images, Hz; 0: any",
        limits=(0.0, 1000.0), read=LIVE,
    )  # fmt: skip
    output_rate: float = parameter(
        "diagnostics.output_rate", 0.0, "expected fused images, Hz; 0: any", limits=(0.0, 1000.0), read=LIVE
    )
    rate_margin: float = parameter(
        "diagnostics.rate_margin", 0.2, "share below the expected rate that is still fine",
        limits=(0.0, 1.0), read=LIVE,
    )  # fmt: skip
    latency_warning_ms: float = parameter(
        "diagnostics.latency_warning_ms", 0.0, "95th percentile of latency that is a warning, ms; 0: none",
        limits=(0.0, 1e6), read=LIVE,
    )  # fmt: skip
    latency_error_ms: float = parameter(
        "diagnostics.latency_error_ms", 0.0, "95th percentile of latency that is an error, ms; 0: none",
        limits=(0.0, 1e6), read=LIVE,
    )  # fmt: skip
    temperature_warning: float = parameter(
        "diagnostics.temperature_warning", 90.0, "device temperature that is a warning, degrees Celsius",
        limits=(0.0, 200.0), read=LIVE,
    )  # fmt: skip

    def inputs(self) -> InputSettings:
        """Return how the images are subscribed to and checked."""
        subscription = SubscriptionSettings(self.transport, self.qos_input, self.qos_depth)
        return InputSettings(subscription, self.frozen_after)

    def check(self) -> None:
        """Raise ValueError where values that are fine by themselves contradict each other."""
        super().check()
        if 0 < self.latency_error_ms < self.latency_warning_ms:
            raise ValueError(
                "expected diagnostics.latency_error_ms not below latency_warning_ms, got "
                f"{self.latency_error_ms:g} and {self.latency_warning_ms:g}: swap them"
            )
