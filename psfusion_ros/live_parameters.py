"""Declares the parameters of `psfusion_core.fusion.node_parameters` to ROS, and follows their changes."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import Field, fields, replace
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
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


class LiveParameters:
    """The current parameters of a node.

    Attributes:
        values: The current values. They are replaced as a whole, so that they always fit together.
    """

    def __init__(
        self, node: Node, is_unconfigured: Callable[[], bool], changed: Callable[[NodeParameters], None]
    ) -> None:
        """Declare all parameters with their descriptors, and read their values.

        Args:
            node: The node that owns the parameters.
            is_unconfigured: Tells whether parameters that are read on configuring may be set.
            changed: Called with the new values after each change, before the service answers.

        Raises:
            ValueError: a value has the wrong type, is not one of the choices, or contradicts another one.
            rclpy.exceptions.InvalidParameterValueException: a value is out of range.
        """
        self._is_unconfigured = is_unconfigured
        self._changed = changed
        self._fields = {item.metadata["name"]: item for item in fields(NodeParameters)}
        given = {item.name: _declare(node, item) for item in self._fields.values()}
        self.values = _checked(NodeParameters(), given, self._fields.values())
        node.add_on_set_parameters_callback(self._set)

    def _set(self, parameters: Sequence[Parameter[Any]]) -> SetParametersResult:
        """Set all of the parameters, or none of them and return the reason."""
        items = [(self._fields[p.name], p.value) for p in parameters if p.name in self._fields]
        for item, _ in items:
            if item.metadata["read"] == CONFIGURE and not self._is_unconfigured():
                name = item.metadata["name"]
                reason = f"{name} is read when the node is configured: deactivate and clean it up first"
                return SetParametersResult(successful=False, reason=reason)
        try:
            values = _checked(self.values, {item.name: value for item, value in items}, [i for i, _ in items])
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if items:
            self.values = values
            self._changed(values)
        return SetParametersResult(successful=True)


def _declare(node: Node, item: Field[Any]) -> Any:
    name, default = item.metadata["name"], item.default
    try:
        return node.declare_parameter(name, default, describe(item)).value
    except InvalidParameterTypeException as error:  # usually 30 instead of 30.0
        raise ValueError(f"{error}: write it like the default, {default!r}") from error


def _checked(before: NodeParameters, given: dict[str, Any], items: Iterable[Field[Any]]) -> NodeParameters:
    """Return the parameters with the given values; ValueError if a value is not allowed."""
    for item in items:
        choices, value = item.metadata["choices"], given[item.name]
        if choices and value not in choices:
            name = item.metadata["name"]
            raise ValueError(f"expected parameter {name} to be one of {', '.join(choices)}, got {value!r}")
    values = replace(before, **{name: _frozen(value) for name, value in given.items()})
    values.check()
    return values


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, array)) else value


def describe(item: Field[Any]) -> ParameterDescriptor:
    """Return the descriptor of one field of `NodeParameters`."""
    metadata = item.metadata
    unit = f" ({metadata['unit']})" if metadata["unit"] else ""
    descriptor = ParameterDescriptor(
        name=metadata["name"],
        description=metadata["description"] + unit,
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
