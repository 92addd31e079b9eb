"""Launch files name nothing that is not there. Most tests read them as source: `launch` is not on PyPI."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.outputs import IMAGE_TOPICS
from psfusion_ros.record.spool import INPUTS

ROOT = Path(__file__).resolve().parents[2]
LAUNCH_FILES = sorted((ROOT / "launch").glob("*.launch.py"))
MAIN = ROOT / "launch" / "psfusion.launch.py"
FOREIGN = {"rviz2": {"rviz2"}}
"""Executables of other packages that a launch file may start."""

ONE_PAIR = ["psfusion_node", "rviz2", "view"]
STARTED = {
    "psfusion.launch.py": [*ONE_PAIR, "replay"],
    "replay.launch.py": [*ONE_PAIR, "replay"],
    "two_pairs.launch.py": [*ONE_PAIR, *ONE_PAIR],
}
"""Executables that a launch file makes actions for, with the arguments below."""

GIVEN = {"psfusion.launch.py": {"bag": "drive"}, "replay.launch.py": {"bag": "drive"}}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), path.name)


def nodes(path: Path) -> Iterator[dict[str, ast.expr]]:
    """Yield the keyword arguments of every Node(...)."""
    for call in ast.walk(tree(path)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Node":
            yield {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def constant(name: str, path: Path) -> ast.expr:
    """Return what a module-level name is bound to."""
    for statement in tree(path).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == name:
            return statement.value
    raise AssertionError(f"{path.name} binds no {name}")


def entry_points() -> dict[str, str]:
    return dict(re.findall(r'"(\w+) = ([\w.]+:\w+)"', (ROOT / "setup.py").read_text()))


def keys_of(name: str, path: Path) -> list[str]:
    """Return the keys of a dictionary that a module-level name is bound to."""
    found = constant(name, path)
    assert isinstance(found, ast.Dict)
    return [ast.literal_eval(key) for key in found.keys if key is not None]


def declared_arguments() -> list[str]:
    return keys_of("ARGUMENTS", MAIN)


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_every_executable_of_a_launch_file_is_installed_and_importable(path: Path) -> None:
    started = [
        (ast.literal_eval(node["package"]), ast.literal_eval(node["executable"])) for node in nodes(path)
    ]
    assert path != MAIN or ("psfusion_ros", "psfusion_node") in started
    for package, executable in started:
        if package == "psfusion_ros":
            module, function = entry_points()[executable].split(":")
            assert callable(getattr(importlib.import_module(module), function))
        else:
            assert executable in FOREIGN[package]


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_every_file_that_a_launch_file_names_is_shipped(path: Path) -> None:
    strings = [node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)]
    named = {
        text
        for text in strings
        if isinstance(text, str) and re.fullmatch(r"[\w.]+\.(yaml|xml|rviz|launch\.py)", text)
    }
    assert named >= ({"psfusion.yaml", "fastdds.xml", "psfusion.rviz"} if path == MAIN else {MAIN.name})
    for name in named:
        assert (ROOT / ("launch" if name.endswith(".py") else "config") / name).is_file()


def test_what_other_launch_files_pass_on_are_arguments_of_the_main_one() -> None:
    replay, pairs = ROOT / "launch" / "replay.launch.py", ROOT / "launch" / "two_pairs.launch.py"
    settings = constant("PAIRS", pairs)
    passed = {name for pair in ast.literal_eval(settings).values() for name in pair}
    assert {*keys_of("ARGUMENTS", replay), *passed, "namespace", "view"} <= set(declared_arguments())
    ports = [pair["view_port"] for pair in ast.literal_eval(settings).values()]
    assert len(set(ports)) == len(ports)


def test_launch_arguments_are_those_promised() -> None:
    assert set(declared_arguments()) >= {
        "visible", "infrared", "namespace", "model", "device", "params_file", "dds_profile", "rviz", "bag",
        "use_sim_time", "view", "view_port", "bag_rate", "bag_loop",
    }  # fmt: skip


def test_every_launch_argument_is_used_and_none_else() -> None:
    read = {
        ast.literal_eval(node.slice)
        for node in ast.walk(tree(MAIN))
        if isinstance(node, ast.Subscript)
        and getattr(node.value, "id", "") == "value"
        and is_text(node.slice)
    }
    named = {
        ast.literal_eval(call.args[0])
        for call in ast.walk(tree(MAIN))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "LaunchConfiguration"
        and is_text(call.args[0])
    }
    overrides = {"model", "device", "params_file", "registration"}  # read in loops
    assert read | named | overrides == set(declared_arguments())


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_parameters_that_the_launch_file_and_the_configuration_set_exist() -> None:
    declared = {item.metadata["name"] for item in NodeParameters.__dataclass_fields__.values()}
    assert {"model", "device"} <= declared
    configured = yaml.safe_load((ROOT / "config" / "psfusion.yaml").read_text())
    (parameters,) = (entry["ros__parameters"] for entry in configured.values())
    assert set(flat(parameters)) <= declared


def flat(parameters: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_files_make_what_they_promise_where_launch_is_installed(path: Path) -> None:
    launch = pytest.importorskip("launch", reason="launch comes with ROS from apt only")
    pytest.importorskip("launch_ros", reason="launch_ros comes with ROS from apt only")
    from ament_index_python.packages import PackageNotFoundError
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node

    def started(entities: Any) -> Iterator[str]:
        for entity in entities or ():
            if isinstance(entity, Node):
                yield entity.node_executable
            else:
                yield from started(entity.visit(context))

    context = launch.LaunchContext()
    context.launch_configurations.update(GIVEN.get(path.name, {}))
    try:
        description = get_launch_description_from_python_launch_file(str(path))
    except PackageNotFoundError:
        pytest.skip("the package is not in the ament index: source its setup.bash")
    assert list(started(description.entities)) == STARTED[path.name]


def test_every_launch_file_is_among_those_whose_actions_are_known() -> None:
    assert {path.name for path in LAUNCH_FILES} == set(STARTED)


def test_launch_remaps_every_input_of_the_node() -> None:
    source = ast.unparse(tree(MAIN))
    for topic in (*INPUTS, "visible/camera_info", "infrared/camera_info"):
        assert f"'{topic}': value[" in source


def test_rviz_shows_the_inputs_the_fused_image_and_the_overlay_best_effort() -> None:
    configuration = yaml.safe_load((ROOT / "config" / "psfusion.rviz").read_text())
    displays = configuration["Visualization Manager"]["Displays"]
    shown = [display["Topic"]["Value"] for display in displays]
    assert shown == ["/visible/image", "/infrared/image", "/fused/image", "/semantic/overlay"]
    assert {topic.lstrip("/") for topic in shown} <= {*INPUTS, *IMAGE_TOPICS}
    assert {display["Class"] for display in displays} == {"rviz_default_plugins/Image"}
    assert {display["Topic"]["Reliability Policy"] for display in displays} == {"Best Effort"}


def test_foxglove_shows_the_topics_that_rviz_shows_and_places_every_panel_once() -> None:
    layout = json.loads((ROOT / "config" / "foxglove_layout.json").read_text())
    panels = layout["configById"]
    images = [panel["imageMode"]["imageTopic"] for panel in panels.values() if "imageMode" in panel]
    assert images == ["/visible/image", "/infrared/image", "/fused/image", "/semantic/overlay"]
    assert panels["DiagnosticSummary!psfusion"]["topicToRender"] == "/diagnostics"
    assert panels["RawMessages!source"]["topicPath"] == "/psfusion_node/source"
    assert sorted(placed(layout["layout"])) == sorted(panels)


def placed(layout: Any) -> Iterator[str]:
    """Yield the panels of a layout: a name, or two layouts side by side."""
    if isinstance(layout, str):
        yield layout
    else:
        assert layout["direction"] in ("row", "column")
        yield from placed(layout["first"])
        yield from placed(layout["second"])


def test_launch_remaps_every_topic_of_the_rviz_configuration() -> None:
    configuration = yaml.safe_load((ROOT / "config" / "psfusion.rviz").read_text())
    source = ast.unparse(tree(MAIN))
    for display in configuration["Visualization Manager"]["Displays"]:
        assert f"('{display['Topic']['Value']}', " in source


def test_dds_profile_has_shared_memory_for_many_images_and_udp_for_other_hosts() -> None:
    profile = ElementTree.parse(ROOT / "config" / "fastdds.xml")
    space = {"": "http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles"}
    transports = {
        transport.findtext("transport_id", namespaces=space): transport
        for transport in profile.iterfind(".//transport_descriptor", space)
    }
    used = [item.text for item in profile.iterfind(".//participant/rtps/userTransports/transport_id", space)]
    assert set(used) == set(transports)
    kinds = {transport.findtext("type", namespaces=space) for transport in transports.values()}
    assert kinds == {"SHM", "UDPv4"}
    (segment,) = (int(item.text or 0) for item in profile.iterfind(".//segment_size", space))
    assert segment > 30 * 640 * 480 * 3
