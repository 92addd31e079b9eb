"""Parameters: declared, ranged, described, and documented in config/psfusion.yaml as they are."""

from __future__ import annotations

import re
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

from psfusion_core.fusion.fusion_parameters import CONFIGURE, LIVE, START
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.live_parameters import declare_parameters
from psfusion_ros.node import PsfusionNode

YAML = Path(__file__).parents[2] / "config" / "psfusion.yaml"


READ_IN_YAML = {"(live)": LIVE, "(start)": START}


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


class FakePipeline:
    """Notes the parameters that it is called with."""

    def __init__(self) -> None:
        self.retuned: list[NodeParameters] = []
        self.retune = self.retuned.append

    def stop(self) -> None: ...


@pytest.fixture
def fusion_node(session_environment: dict[str, str]) -> Iterator[PsfusionNode]:
    node = PsfusionNode()
    yield node
    node.destroy_node()


def test_the_yaml_file_lists_every_parameter_with_its_default() -> None:
    listed = flatten(yaml.safe_load(YAML.read_text())["/**"]["ros__parameters"])
    defaults = {item.metadata["name"]: item.default for item in fields(NodeParameters)}

    assert {name: as_tuple(value) for name, value in listed.items()} == defaults
    assert {name: type(as_tuple(value)) for name, value in listed.items()} == {
        name: type(value) for name, value in defaults.items()
    }


def as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def test_the_yaml_file_says_of_every_parameter_when_it_is_read() -> None:
    group, said = "", {}
    for line in YAML.read_text().splitlines():
        if found := re.match(r"    (  )?(\w+):(.*)", line):
            name = f"{group}.{found[2]}" if found[1] else found[2]
            group = group if found[1] else found[2]
            marks = [read for mark, read in READ_IN_YAML.items() if mark in found[3]]
            said[name] = marks[0] if marks else CONFIGURE

    for item in fields(NodeParameters):
        assert said[item.metadata["name"]] == item.metadata["read"], item.metadata["name"]


def test_every_parameter_is_described_says_when_it_is_read_and_is_ranged_where_it_is_a_number(
    make_node: Any,
) -> None:
    node = make_node()

    assert declare_parameters(node) == NodeParameters()

    for item in fields(NodeParameters):
        descriptor = node.describe_parameter(item.metadata["name"])
        assert descriptor.description
        assert "read" in descriptor.additional_constraints or "at once" in descriptor.additional_constraints
        assert descriptor.read_only == (item.metadata["read"] == START)
        if descriptor.type == ParameterType.PARAMETER_DOUBLE:
            assert descriptor.floating_point_range[0].from_value <= item.default
        elif descriptor.type == ParameterType.PARAMETER_INTEGER:
            assert descriptor.integer_range[0].to_value >= item.default


def test_what_the_user_sets_is_what_the_node_reads(make_node: Any) -> None:
    node = make_node(
        sync__tolerance_ms=12.5, gain__mode="fixed", gain__low=7000.0,
        registration__mode="homography", registration__visible_size=[640, 480],
    )  # fmt: skip
    parameters = declare_parameters(node)

    assert parameters.tolerance_ms == 12.5
    assert parameters.sync().tolerance == 12_500_000
    assert parameters.gain().fixed_range == (7000.0, 65535.0)
    assert parameters.registration().visible_size == (640, 480)


def test_values_out_of_range_are_refused(make_node: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match=r"overlay\.opacity"):
        declare_parameters(make_node(overlay__opacity=1.5))
    with pytest.raises(ValueError, match=r"parameter qos\.input to be one of auto, sensor_data, reliable"):
        declare_parameters(make_node(qos__input="best"))
    with pytest.raises(ValueError, match=r"like the default, 50\.0"):
        declare_parameters(make_node(sync__tolerance_ms=50))
    with pytest.raises(ValueError, match="expected"):
        declare_parameters(make_node(registration__mode="homography", registration__homography=[0.0] * 9))


def test_a_set_is_taken_as_a_whole_or_not_at_all(fusion_node: Any) -> None:
    node, pipeline = fusion_node, FakePipeline()
    node._pipeline = pipeline

    bad = [Parameter("gain.low_percentile", value=20.0), Parameter("gain.high_percentile", value=10.0)]
    assert not node.set_parameters_atomically(bad).successful
    assert node.parameters == NodeParameters()
    good = [Parameter("gain.low_percentile", value=99.5), Parameter("gain.high_percentile", value=100.0)]
    assert node.set_parameters_atomically(good).successful

    assert pipeline.retuned == [node.parameters] == [node._diagnostics.parameters]
    assert (node.parameters.gain_low_percentile, node.parameters.gain_high_percentile) == (99.5, 100.0)


@pytest.mark.parametrize("is_unconfigured", [True, False])
def test_what_is_read_on_configuring_can_be_set_before_it_only(
    fusion_node: Any, is_unconfigured: bool
) -> None:
    fusion_node._pipeline = None if is_unconfigured else FakePipeline()

    (result,) = fusion_node.set_parameters([Parameter("model", value="psfusion")])

    assert result.successful == is_unconfigured
    assert fusion_node.parameters.model == ("psfusion" if is_unconfigured else "psfusion_lite")
