"""Parameters: declared, ranged, described, and documented in config/psfusion.yaml as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

import rclpy
import yaml
from rcl_interfaces.msg import ParameterType
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from psfusion_ros.parameters import Parameters, declare

YAML = Path(__file__).parents[2] / "config" / "psfusion.yaml"


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


@pytest.fixture
def make_node(session_environment: dict[str, str]) -> Iterator[Any]:
    nodes = []

    def make(**overrides: Any) -> Node:
        values = [Parameter(name.replace("__", "."), value=value) for name, value in overrides.items()]
        nodes.append(rclpy.create_node("parameters", parameter_overrides=values))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_the_yaml_file_lists_every_parameter_with_its_default() -> None:
    listed = flatten(yaml.safe_load(YAML.read_text())["/**"]["ros__parameters"])

    assert listed == {item.metadata["name"]: item.default for item in fields(Parameters)}
    assert {name: type(value) for name, value in listed.items()} == {
        item.metadata["name"]: type(item.default) for item in fields(Parameters)
    }


def test_every_parameter_is_described_read_only_and_ranged_where_it_is_a_number(make_node: Any) -> None:
    node = make_node()

    assert declare(node) == Parameters()

    for item in fields(Parameters):
        descriptor = node.describe_parameter(item.metadata["name"])
        assert descriptor.description
        assert descriptor.read_only
        if descriptor.type == ParameterType.PARAMETER_DOUBLE:
            assert descriptor.floating_point_range[0].from_value <= item.default
        elif descriptor.type == ParameterType.PARAMETER_INTEGER:
            assert descriptor.integer_range[0].to_value >= item.default


def test_what_the_user_sets_is_what_the_node_reads(make_node: Any) -> None:
    parameters = declare(make_node(sync__tolerance_ms=12.5, gain__mode="fixed", gain__fixed_low=7000.0))

    assert parameters.tolerance_ms == 12.5
    assert parameters.gain().fixed_range == (7000.0, 65535.0)


def test_values_out_of_range_are_refused(make_node: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match=r"overlay\.opacity"):
        declare(make_node(overlay__opacity=1.5))
    with pytest.raises(ValueError, match=r"expected parameter qos\.input to be one of sensor_data, reliable"):
        declare(make_node(qos__input="best"))
    with pytest.raises(ValueError, match=r"like the default, 50\.0"):
        declare(make_node(sync__tolerance_ms=50))
