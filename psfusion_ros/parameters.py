"""The node's parameters: names, defaults, ranges and units; `config/psfusion.yaml` documents them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node

from psfusion_core.stream.gain import GainSettings
from psfusion_ros.inputs import TRANSPORTS
from psfusion_ros.qos import INPUT_KINDS
from psfusion_ros.synchroniser import POLICIES

GAIN_MODES = ("percentile", "fixed")


def _parameter(
    name: str,
    default: str | float,
    description: str,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(
        default=default,
        metadata={"name": name, "description": description, "limits": limits, "choices": choices},
    )


@dataclass(frozen=True)
class Parameters:
    """What the node was started with. All are read once, at start."""

    model: str = _parameter("model", "psfusion_lite", "network: psfusion_lite or psfusion")
    weights: str = _parameter("weights", "default", "default (shipped with the package) or a path")
    device: str = _parameter("device", "auto", "auto, cpu, cuda or cuda:N")
    engine: str = _parameter("engine", "auto", "what runs the network; auto takes the fastest that is there")
    precision: str = _parameter("precision", "auto", "auto, fp32, fp16 or bf16")

    sync_policy: str = _parameter(
        "sync.policy",
        "nearest",
        "nearest, or one of message_filters: approximate, exact",
        choices=POLICIES,
    )
    tolerance_ms: float = _parameter(
        "sync.tolerance_ms", 50.0, "largest difference of the stamps of a pair, ms", limits=(0.0, 10_000.0)
    )
    visible_offset_ms: float = _parameter(
        "sync.visible_offset_ms", 0.0, "added to visible stamps before pairing, ms", limits=(-1e7, 1e7)
    )
    infrared_offset_ms: float = _parameter(
        "sync.infrared_offset_ms", 0.0, "added to infrared stamps before pairing, ms", limits=(-1e7, 1e7)
    )
    queue_size: int = _parameter(
        "sync.queue_size", 10, "frames that may wait for a partner, per camera", limits=(1, 1000)
    )

    transport: str = _parameter(
        "transport",
        "auto",
        "how images come: auto, raw (Image) or compressed (CompressedImage)",
        choices=TRANSPORTS,
    )
    qos_input: str = _parameter(
        "qos.input", "sensor_data", "QoS of the image subscriptions", choices=INPUT_KINDS
    )
    qos_depth: int = _parameter("qos.depth", 5, "depth of the image subscriptions, frames", limits=(1, 1000))

    gain_mode: str = _parameter(
        "gain.mode", "percentile", "how 16-bit infrared becomes grey levels", choices=GAIN_MODES
    )
    gain_low_percentile: float = _parameter(
        "gain.low_percentile", 1.0, "percentile that becomes black, %", limits=(0.0, 100.0)
    )
    gain_high_percentile: float = _parameter(
        "gain.high_percentile", 99.0, "percentile that becomes white, %", limits=(0.0, 100.0)
    )
    gain_minimum_span: float = _parameter(
        "gain.minimum_span", 256.0, "least range from black to white, counts", limits=(1.0, 65_535.0)
    )
    gain_smoothing: float = _parameter(
        "gain.smoothing", 0.9, "weight of the range before in the new one; 0 is off", limits=(0.0, 0.999)
    )
    gain_fixed_low: float = _parameter(
        "gain.fixed_low", 0.0, "black in mode fixed, counts", limits=(0.0, 65_535.0)
    )
    gain_fixed_high: float = _parameter(
        "gain.fixed_high", 65_535.0, "white in mode fixed, counts", limits=(0.0, 65_535.0)
    )

    overlay_opacity: float = _parameter(
        "overlay.opacity", 0.5, "weight of the class colour in semantic/overlay", limits=(0.0, 1.0)
    )
    diagnostics_period: float = _parameter(
        "diagnostics.period", 1.0, "time between messages on /diagnostics, s", limits=(0.1, 60.0)
    )

    def gain(self) -> GainSettings:
        """Return the settings of the thermal gain; ValueError where two of them contradict each other."""
        fixed = (self.gain_fixed_low, self.gain_fixed_high) if self.gain_mode == "fixed" else None
        return GainSettings(
            self.gain_low_percentile,
            self.gain_high_percentile,
            self.gain_minimum_span,
            self.gain_smoothing,
            fixed,
        )


def declare(node: Node) -> Parameters:
    """Declare every parameter on a node, with its descriptor, and read them.

    Raises:
        ValueError: a value has the wrong type or is none of the choices.
        rclpy.exceptions.InvalidParameterValueException: a value is out of range.
    """
    values: dict[str, Any] = {}
    for item in fields(Parameters):
        name, choices = item.metadata["name"], item.metadata["choices"]
        try:
            value = node.declare_parameter(name, item.default, _descriptor(item.metadata, item.default)).value
        except InvalidParameterTypeException as error:  # 30 for 30.0, as a rule
            raise ValueError(f"{error}: write it like the default, {item.default!r}") from error
        if choices and value not in choices:
            raise ValueError(f"expected parameter {name} to be one of {', '.join(choices)}, got {value!r}")
        values[item.name] = value
    return Parameters(**values)


def _descriptor(metadata: Any, default: object) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        name=metadata["name"], description=metadata["description"], read_only=True
    )
    if metadata["choices"]:
        descriptor.additional_constraints = f"one of: {', '.join(metadata['choices'])}"
    if metadata["limits"] is not None:
        low, high = metadata["limits"]
        if isinstance(default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return descriptor
