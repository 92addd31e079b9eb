"""The parameters of the node: names, defaults, ranges, units and explanations.

Those that decide the result are inherited from `fusion_parameters`; those that matter only on a robot are
declared here. Both need no ROS, because `psfusion bag` reads the parameter files of the node too.
`psfusion_ros.live_parameters` declares them to ROS, and `make parameters` writes config/psfusion.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass

from psfusion_core.fusion.fusion_parameters import LIVE, START, FusionParameters, parameter
from psfusion_core.fusion.recovery import FALLBACKS

GROUPS = {
    "node": "",
    "engine": "",
    "out_of_memory": "When memory runs out, the node frees unused memory and tries the pair again.",
    "sync": "",
    "missing": "A camera is missing while it sends no usable image.",
    "transport": "",
    "qos": "",
    "gain": "8-bit infrared is used unchanged, except for polarity.",
    "registration": "psfusion calibrate writes this group.",
    "overlay": "",
    "diagnostics": "",
}
"""Groups of parameters in the order of config/psfusion.yaml, and what it says about each."""

ROS_PARAMETERS = ("use_sim_time", "qos_overrides", "start_type_description_service")
"""Parameters, or groups of them, that every ROS node has. They are not declared here."""


@dataclass(frozen=True)
class NodeParameters(FusionParameters):
    # fmt: off
    autostart: bool = parameter(
        "autostart", True, "Whether the node configures and activates itself", read=START, group="node",
        details="false leaves this to a lifecycle manager.",
    )
    enabled: bool = parameter(
        "enabled", True, "Whether the node fuses images", read=LIVE, group="node",
        details="The service ~/set_enabled sets this too.",
    )

    fallback: str = parameter(
        "out_of_memory.fallback", "cpu", "What happens if memory runs out twice for one pair",
        choices=FALLBACKS,
    )
    retry_after: float = parameter(
        "out_of_memory.retry_after", 30.0,
        "Time on the fallback before the first device and engine are tried again",
        unit="s", limits=(1.0, 3600.0), details="It doubles with each failure, up to 10 minutes.",
    )

    missing_policy: str = parameter(
        "missing.policy", "none", "What is published while a camera is missing", read=LIVE,
        choices={
            "none": "nothing",
            "visible": "visible images while the infrared camera is missing",
            "infrared": "infrared images while the visible camera is missing",
            "either": "the images of the camera that is not missing",
        },
        details="The mask of such an image is empty. ~/source and the diagnostics say what the outputs show.",
    )
    missing_timeout: float = parameter(
        "missing.timeout", 1.0, "A camera counts as missing if it sends no usable image for this long",
        unit="s", limits=(0.05, 60.0), read=LIVE,
    )

    transport: str = parameter(
        "transport", "auto", "Type of the image messages",
        choices={
            "auto": "raw, but compressed for a camera while it publishes only compressed images",
            "raw": "Image on visible/image and infrared/image",
            "compressed": "CompressedImage (JPEG, or PNG with 8 or 16 bits) on the same topics, with "
            "/compressed appended after remapping, as image_transport publishes them",
        },
    )
    qos_input: str = parameter(
        "qos.input", "sensor_data", "QoS of the image subscriptions",
        choices={
            "auto": "reliable if all publishers are reliable, else sensor_data",
            "sensor_data": "best effort; matches every publisher",
            "reliable": "matches reliable publishers only",
        },
    )
    qos_depth: int = parameter(
        "qos.depth", 5, "Depth of the queue that the middleware keeps, per camera",
        unit="images", limits=(1, 1000),
    )

    diagnostics_period: float = parameter(
        "diagnostics.period", 1.0, "Time between two messages on /diagnostics",
        unit="s", limits=(0.1, 60.0), read=START,
    )
    visible_rate: float = parameter(
        "diagnostics.visible_rate", 0.0, "Expected rate of visible images",
        unit="Hz", limits=(0.0, 1000.0), read=LIVE, details="0 accepts any rate.",
    )
    infrared_rate: float = parameter(
        "diagnostics.infrared_rate", 0.0, "Expected rate of infrared images",
        unit="Hz", limits=(0.0, 1000.0), read=LIVE, details="0 accepts any rate.",
    )
    output_rate: float = parameter(
        "diagnostics.output_rate", 0.0, "Expected rate of fused images",
        unit="Hz", limits=(0.0, 1000.0), read=LIVE, details="0 accepts any rate.",
    )
    rate_margin: float = parameter(
        "diagnostics.rate_margin", 0.2, "Tolerated shortfall from an expected rate, as a fraction of it",
        limits=(0.0, 1.0), read=LIVE,
    )
    latency_warning_ms: float = parameter(
        "diagnostics.latency_warning_ms", 0.0, "95th percentile of the latency that causes a warning",
        unit="ms", limits=(0.0, 1e6), read=LIVE, details="0 turns this off.",
    )
    latency_error_ms: float = parameter(
        "diagnostics.latency_error_ms", 0.0, "95th percentile of the latency that causes an error",
        unit="ms", limits=(0.0, 1e6), read=LIVE, details="0 turns this off.",
    )
    temperature_warning: float = parameter(
        "diagnostics.temperature_warning", 90.0, "Temperature of the device that causes a warning",
        unit="degrees Celsius", limits=(0.0, 200.0), read=LIVE,
    )
    # fmt: on

    def check(self) -> None:
        """Raise ValueError if values that are valid one by one contradict each other."""
        super().check()
        if 0 < self.latency_error_ms < self.latency_warning_ms:
            raise ValueError(
                "expected diagnostics.latency_error_ms not below latency_warning_ms, got "
                f"{self.latency_error_ms:g} and {self.latency_warning_ms:g}: swap them"
            )
