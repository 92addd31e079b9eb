"""Declares the parameters of `psfusion_core.fusion.node_parameters` to ROS, and checks their changes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import Field, fields, replace
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.parameter import Parameter

from psfusion_core.fusion.fusion_parameters import CONFIGURE, LIVE, START
from psfusion_core.fusion.node_parameters import NodeParameters

READ = {
    START: "read once, when the node starts",
    CONFIGURE: "read when the node is configured; can be set while it is unconfigured",
    LIVE: "takes effect at once",
}


FIELDS = {item.metadata["name"]: item for item in fields(NodeParameters)}


def declare_parameters(node: Node) -> NodeParameters:
    """Declare all parameters on a node, with their descriptors, and return their values.

    Raises:
        ValueError: a value has the wrong type, is not one of the choices, or contradicts another one.
        rclpy.exceptions.InvalidParameterValueException: a value is out of range.
    """
    return _replaced(NodeParameters(), {item.name: _declare(node, item) for item in FIELDS.values()})


def change_parameters(
    parameters: NodeParameters, changes: Iterable[Parameter[Any]], is_unconfigured: bool
) -> NodeParameters:
    """Return the parameters with changes that a parameter service asks for.

    Args:
        parameters: The current parameters.
        changes: The new values. Parameters that are not the node's own are ignored.
        is_unconfigured: Whether parameters that are read on configuring may change.

    Raises:
        ValueError: one of the changes is not allowed; the message is the reason for the caller.
    """
    changed = [(FIELDS[change.name], change.value) for change in changes if change.name in FIELDS]
    for item, _ in changed:
        if item.metadata["read"] == CONFIGURE and not is_unconfigured:
            name = item.metadata["name"]
            raise ValueError(f"{name} is read when the node is configured: deactivate and clean it up first")
    return _replaced(parameters, {item.name: value for item, value in changed})


def _declare(node: Node, item: Field[Any]) -> Any:
    name, default = item.metadata["name"], item.default
    try:
        return node.declare_parameter(name, default, describe(item)).value
    except InvalidParameterTypeException as error:  # usually 30 instead of 30.0
        raise ValueError(f"{error}: write it like the default, {default!r}") from error


def _replaced(parameters: NodeParameters, values: dict[str, Any]) -> NodeParameters:
    """Return the parameters with other values; ValueError if one is not allowed."""
    replaced = replace(parameters, **{name: _frozen(value) for name, value in values.items()})
    for name, item in FIELDS.items():
        choices, value = item.metadata["choices"], getattr(replaced, item.name)
        if choices and value not in choices:
            raise ValueError(f"expected parameter {name} to be one of {', '.join(choices)}, got {value!r}")
    replaced.check()
    return replaced


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, array)) else value


def describe(item: Field[Any]) -> ParameterDescriptor:
    """Return the descriptor of one field of `NodeParameters`."""
    metadata = item.metadata
    unit = f" ({metadata['unit']})" if metadata["unit"] else ""
    descriptor = ParameterDescriptor(
        name=metadata["name"],
        description=f"{metadata['description']}{unit}. {metadata['details']}".rstrip(),
        read_only=metadata["read"] == START,
    )
    constraints = [READ[metadata["read"]]]
    if metadata["choices"]:
        constraints.insert(0, f"one of: {', '.join(metadata['choices'])}")
    descriptor.additional_constraints = "; ".join(constraints)
    if metadata["limits"] is not None:
        low, high = metadata["limits"]
        if isinstance(item.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
        else:
            descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return descriptor
